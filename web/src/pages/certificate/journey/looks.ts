import {
  Ban,
  CircleAlert,
  CircleCheck,
  CircleDashed,
  CircleMinus,
  CircleX,
  Hourglass,
  LoaderCircle,
} from "lucide-react";
import { JourneyState, JourneyStep } from "#gen/certctl/v1/journeys_pb.ts";
import { type Look, unknownLook } from "../../../status/certificate-status.tsx";

const states: Readonly<Record<JourneyState, Look>> = {
  [JourneyState.UNSPECIFIED]: unknownLook,
  [JourneyState.PENDING]: { tone: "muted", icon: CircleDashed, word: "To come" },
  [JourneyState.RUNNING]: { tone: "due", icon: LoaderCircle, word: "Running" },
  [JourneyState.WAITING]: { tone: "warn", icon: Hourglass, word: "Tried again later" },
  [JourneyState.DONE]: { tone: "ok", icon: CircleCheck, word: "Done" },
  [JourneyState.FAILED]: { tone: "bad", icon: CircleX, word: "Failed" },
  [JourneyState.SKIPPED]: { tone: "muted", icon: CircleMinus, word: "Nothing to do" },
  [JourneyState.CANCELLED]: { tone: "muted", icon: Ban, word: "Cancelled" },
  [JourneyState.PARTLY_DONE]: { tone: "warn", icon: CircleAlert, word: "Partly done" },
};

export function lookOf(state: JourneyState): Look {
  return states[state] ?? unknownLook;
}

const steps: Readonly<Record<JourneyStep, string>> = {
  [JourneyStep.UNSPECIFIED]: "",
  [JourneyStep.KEY]: "Key made",
  [JourneyStep.CSR]: "CSR accepted",
  [JourneyStep.ORDER]: "Recorded",
  [JourneyStep.ISSUED]: "Issued",
  [JourneyStep.DELIVERED]: "Delivered",
  [JourneyStep.INSTALLED]: "Installed",
  [JourneyStep.RELOADED]: "Reloaded",
  [JourneyStep.PROVEN]: "Proven on the wire",
};

export function stepName(step: JourneyStep): string {
  return steps[step] ?? "";
}

export function isFinal(state: JourneyState): boolean {
  return ![JourneyState.PENDING, JourneyState.RUNNING, JourneyState.WAITING].includes(state as never);
}
