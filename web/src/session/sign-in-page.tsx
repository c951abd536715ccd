import { useMutation } from "@connectrpc/connect-query";
import { useQueryClient } from "@tanstack/react-query";
import { useRouter, useSearch } from "@tanstack/react-router";
import { LogIn } from "lucide-react";
import { type FormEvent, useEffect, useState } from "react";
import { SessionService } from "#gen/certctl/v1/sessions_pb.ts";
import { messageOf, retryAfterOf } from "../api/errors.ts";
import { Button } from "../ui/button.tsx";
import { Field, Input } from "../ui/field.tsx";
import { pathOf } from "./next-path.ts";
import { signedIn, usePresence } from "./presence.ts";

/** Where one comes in: a key for a session, and back to where one was. */
export function SignInPage() {
  const router = useRouter();
  const queries = useQueryClient();
  const { next } = useSearch({ strict: false }) as { next?: string };
  const [apiKey, setApiKey] = useState("");
  const presence = usePresence();
  const signIn = useMutation(SessionService.method.createSession, {
    onSuccess() {
      // What another person saw is nobody else's.
      queries.clear();
      signedIn();
      router.history.push(pathOf(next));
    },
  });
  const wait = useCountdown(retryAfterOf(signIn.error), signIn.submittedAt);
  useEffect(() => {
    document.title = "Sign in · certctl";
  }, []);
  // Signed in by another tab.
  const wasOut = useState(presence === "out")[0];
  useEffect(() => {
    if (!wasOut || presence === "out") return;
    queries.clear();
    router.history.replace(pathOf(next));
  }, [wasOut, presence, queries, router, next]);

  function submit(event: FormEvent) {
    event.preventDefault();
    if (apiKey.trim() !== "" && wait === 0) signIn.mutate({ apiKey: apiKey.trim() });
  }

  const error = signIn.error ? errorText(signIn.error, wait) : undefined;
  return (
    <main className="grid min-h-dvh place-items-center p-4">
      <div className="flex w-full max-w-[26rem] flex-col gap-6">
        <div className="flex items-center gap-2.5">
          <img src="/favicon.svg" alt="" width={28} height={28} />
          <h1 className="font-semibold text-lg">Sign in to certctl</h1>
        </div>
        <form onSubmit={submit} className="flex flex-col gap-4">
          {/* For password managers, which keep a secret by its user. */}
          <input type="text" name="username" autoComplete="username" value="certctl" readOnly hidden />
          <Field label="API key" error={error}>
            {(field) => (
              <Input
                {...field}
                type="password"
                name="password"
                autoComplete="current-password"
                spellCheck={false}
                className="font-mono"
                placeholder="ak-…"
                value={apiKey}
                autoFocus
                onChange={(event) => setApiKey(event.target.value)}
              />
            )}
          </Field>
          <Button
            type="submit"
            kind="primary"
            icon={LogIn}
            isPending={signIn.isPending}
            disabledReason={wait > 0 ? `Wait ${wait} s` : undefined}
          >
            Sign in
          </Button>
        </form>
        <div className="flex flex-col gap-2 border-line1 border-t pt-4 text-fg2">
          <p>
            The first key lies in <code className="font-mono text-fg1 text-sm">admin.key</code> in the control
            plane's data directory. Further ones are made with it, here or by
          </p>
          <code className="font-mono text-fg1 text-sm">
            certctl api-keys create --name me --role operator
          </code>
          <p>A session ends after 30 minutes without use, after 12 hours, and with its key.</p>
          <p>
            Only looking? There is{" "}
            <a href="/?demo=1" className="leading-6 text-accent underline">
              a demo on made-up data
            </a>
            .
          </p>
        </div>
      </div>
    </main>
  );
}

function errorText(error: unknown, wait: number): string {
  if (wait > 0) return `Too many failed attempts from this address. Try again in ${wait} s.`;
  return messageOf(error);
}

/** The seconds that are left of a wait which began then. */
function useCountdown(seconds: number, since: number): number {
  const [, setTick] = useState(0);
  const left = Math.max(0, Math.ceil(seconds - (Date.now() - since) / 1000));
  useEffect(() => {
    if (left === 0) return;
    const timer = setTimeout(() => setTick((tick) => tick + 1), 1_000);
    return () => clearTimeout(timer);
  }, [left]);
  return left;
}
