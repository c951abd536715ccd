import { useQuery } from "@connectrpc/connect-query";
import { ExplanationService } from "#gen/certctl/v1/explain_pb.ts";

/** The sentence tells of a planned renewal itself. */
const saidAlready: ReadonlySet<string> = new Set(["Nothing", "Renewal"]);

/** How it stands and what happens next, in the control plane's words. */
export function StatusSentence({ id }: { id: string }) {
  const explanation = useQuery(ExplanationService.method.explainCertificate, { id }).data?.explanation;
  // Its line is kept free, so that nothing jumps when it comes.
  if (!explanation) return <p className="min-h-5" />;
  const { sentence, next } = explanation;
  return (
    <p className="text-fg1">
      {sentence}.
      {next && !saidAlready.has(next.kind) && (
        <>
          {" "}
          <span className="text-fg2">Next:</span> {next.text}.
        </>
      )}
    </p>
  );
}
