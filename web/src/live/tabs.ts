/**
 * The tabs of one browser share one stream: connections are few in HTTP/1.1, and the control plane's work is not theirs to
 * multiply. Whoever holds the lock has the stream and tells the others. When its tab closes, another gets the lock.
 */
export interface Tabs<Message> {
  /** Tells the other tabs. */
  tell(message: Message): void;
  onTold(listener: (message: Message) => void): void;
  /** Waits until this tab leads, and does the work; leads no longer when the work is done. */
  /** Hears and tells no more. */
  close(): void;
  lead(work: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void>;
}

export function createTabs<Message>(name: string): Tabs<Message> {
  const channel = new BroadcastChannel(name);
  return {
    close: () => channel.close(),
    tell: (message) => channel.postMessage(message),
    onTold: (listener) =>
      channel.addEventListener("message", ({ data }: MessageEvent<Message>) => listener(data)),
    async lead(work, signal) {
      try {
        await navigator.locks.request(name, { signal }, () => work(signal));
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    },
  };
}
