import { CircleCheck, CircleX } from "lucide-react";
import { type ReactNode, useEffect, useRef } from "react";
import { cx } from "../ui/class-names.ts";

/** What a connection test came to, in the other side's words. */
export function TestResult({
  isOk,
  message,
  children,
}: {
  isOk: boolean;
  message: string;
  children?: ReactNode;
}) {
  const Icon = isOk ? CircleCheck : CircleX;
  const box = useRef<HTMLDivElement>(null);
  // At the end of a long form it would not be seen.
  useEffect(() => void box.current?.scrollIntoView({ block: "nearest" }), []);
  return (
    <div
      ref={box}
      role="status"
      className={cx(isOk ? "tone-ok" : "tone-bad", "tone-tint flex flex-col gap-1 rounded-control px-3 py-2")}
    >
      <p className="flex items-start gap-2">
        <Icon aria-hidden size={14} className="tone-text mt-[3px] shrink-0" />
        <span className="min-w-0 break-words">
          <span className="font-medium">{isOk ? "It works" : "It does not work"}</span>
          {message && `: ${message}`}
        </span>
      </p>
      {children}
    </div>
  );
}
