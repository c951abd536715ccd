import { useQuery } from "@connectrpc/connect-query";
import { ExplanationService } from "#gen/certctl/v1/explain_pb.ts";
import { Time } from "../../ui/time.tsx";

/** How it stands and what happens next, in the control plane's words. */
export function StatusSentence({ id }: { id: string }) {
  const explanation = useQuery(ExplanationService.method.explainCertificate, { id }).data?.explanation;
  // Its line is kept free, so that nothing jumps when it comes.
  if (!explanation) return <p className="min-h-5" />;
  const { sentence, next } = explanation;
  return (
    <p className="text-fg1">
      {sentence}.
      {next && next.kind !== "Nothing" && (
        <>
          {" "}
          <span className="text-fg2">Next:</span> {next.text}
          {next.at && (
            <>
              {", "}
              <Time at={next.at} />
            </>
          )}
          .
        </>
      )}
    </p>
  );
}
