import { Link } from "@tanstack/react-router";
import { CircleCheck, CircleDashed } from "lucide-react";
import { cx } from "../../ui/class-names.ts";
import { CodeBlock } from "../../ui/copy.tsx";
import { Panel } from "../../ui/panel.tsx";
import { type SetupStep, useSetupSteps } from "./setup-steps.ts";

/** The way to the first proven certificate. What is ticked off is what the control plane knows; all of it done, it goes. */
export function SetupChecklist() {
  const steps = useSetupSteps();
  if (!steps || steps.every(({ isDone, isOptional }) => isDone || isOptional)) return null;
  const next = steps.find(({ isDone, isOptional }) => !isDone && !isOptional);
  const done = steps.filter(({ isDone }) => isDone).length;
  return (
    <Panel title="Set up certctl" note={`${done} of ${steps.length} done`}>
      <ol className="flex flex-col gap-2">
        {steps.map((step) => (
          <Step key={step.title} step={step} isNext={step === next} />
        ))}
      </ol>
    </Panel>
  );
}

function Step({ step, isNext }: { step: SetupStep; isNext: boolean }) {
  const { title, isDone, isOptional, fact, to, command } = step;
  const Icon = isDone ? CircleCheck : CircleDashed;
  return (
    <li className={cx("flex items-start gap-2.5", isDone ? "tone-ok" : "tone-muted")}>
      <Icon aria-hidden size={16} className="tone-text mt-0.5 shrink-0" />
      <div className="min-w-0 flex-1">
        <p>
          <span className="sr-only">{isDone ? "Done: " : "To do: "}</span>
          <Link to={to} className={cx("font-medium hover:text-accent", isDone && "text-fg1")}>
            {title}
          </Link>
          {isOptional && !isDone && <span className="text-fg2"> optional</span>}
          {fact && <span className="text-fg2"> · {fact}</span>}
        </p>
        {isNext && command && (
          <div className="mt-1.5 max-w-[76ch]">
            <CodeBlock text={command} label="the command" />
          </div>
        )}
      </div>
    </li>
  );
}
