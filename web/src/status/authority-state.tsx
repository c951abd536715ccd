import {
  Archive,
  Check,
  CircleDashed,
  Hourglass,
  KeyRound,
  type LucideIcon,
  TriangleAlert,
} from "lucide-react";
import { type Authority, AuthorityState, AuthorityStateSchema } from "#gen/certctl/v1/authorities_pb.ts";
import { State } from "../ui/badge.tsx";
import type { Tone } from "../ui/tone.ts";
import { wordOfValue } from "./words.ts";

interface Look {
  tone: Tone;
  icon: LucideIcon;
}

const unknown: Look = { tone: "muted", icon: CircleDashed };
const looks: Readonly<Partial<Record<AuthorityState, Look>>> = {
  [AuthorityState.PENDING]: { tone: "warn", icon: Hourglass },
  [AuthorityState.ACTIVE]: { tone: "ok", icon: Check },
  [AuthorityState.OVERLAP]: { tone: "due", icon: CircleDashed },
  [AuthorityState.RETIRED]: { tone: "muted", icon: Archive },
  [AuthorityState.EXPIRED]: { tone: "bad", icon: TriangleAlert },
  [AuthorityState.OFFLINE]: { tone: "muted", icon: KeyRound },
};

/** How a CA stands. */
export function AuthorityBadge({ state }: Pick<Authority, "state">) {
  const { tone, icon } = looks[state] ?? unknown;
  return (
    <State tone={tone} icon={icon}>
      {wordOfValue(AuthorityStateSchema, state)}
    </State>
  );
}
