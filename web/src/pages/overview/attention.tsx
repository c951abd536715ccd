import { Link } from "@tanstack/react-router";
import {
  CircleX,
  Clock,
  Hand,
  type LucideIcon,
  MailWarning,
  ServerOff,
  ShieldAlert,
  Split,
  TriangleAlert,
} from "lucide-react";
import type { ListCertificateFacetsResponse } from "#gen/certctl/v1/certificates_pb.ts";
import type { Summary } from "#gen/certctl/v1/stats_pb.ts";
import { cx } from "../../ui/class-names.ts";
import { numberText } from "../../ui/time-text.ts";
import { type Tone, toneClass } from "../../ui/tone.ts";

interface Concern {
  label: string;
  value: number;
  tone: Tone;
  icon: LucideIcon;
  to: string;
  search: Readonly<Record<string, string>>;
}

type Counted = readonly { name?: string; value?: string; count: number }[];

/** How many of the words there are. */
function sumOf(counts: Counted, ...words: string[]): number {
  return counts
    .filter(({ name, value }) => words.includes(value ?? name ?? ""))
    .reduce((sum, { count }) => sum + count, 0);
}

/** The worst first. */
function concernsOf(facets: ListCertificateFacetsResponse, summary: Summary): Concern[] {
  return [
    {
      label: "failed or expired",
      value: sumOf(facets.status, "Failed", "Expired"),
      tone: "bad",
      icon: CircleX,
      to: "/certificates",
      search: { status: "Failed,Expired" },
    },
    {
      label: "at risk",
      value: sumOf(facets.schedule, "AtRisk"),
      tone: "serious",
      icon: TriangleAlert,
      to: "/certificates",
      search: { schedule: "AtRisk" },
    },
    {
      label: "overdue",
      value: sumOf(facets.schedule, "Overdue"),
      tone: "warn",
      icon: Clock,
      to: "/certificates",
      search: { schedule: "Overdue" },
    },
    {
      label: "targets drifted",
      value: summary.targetsDrifted,
      tone: "warn",
      icon: Split,
      to: "/targets",
      search: {},
    },
    {
      label: "agents offline",
      value: sumOf(summary.agentsByStatus, "Offline"),
      tone: "bad",
      icon: ServerOff,
      to: "/agents",
      search: { status: "Offline" },
    },
    {
      label: "violations",
      value: summary.violationsBySeverity.reduce((sum, { count }) => sum + count, 0),
      tone: "warn",
      icon: ShieldAlert,
      to: "/policies",
      search: {},
    },
    {
      label: "awaiting approval",
      value: summary.operationsAwaitingApproval,
      tone: "due",
      icon: Hand,
      to: "/operations",
      search: { status: "AwaitingApproval" },
    },
    {
      label: "unread alerts",
      value: summary.unreadNotifications,
      tone: "due",
      icon: MailWarning,
      to: "/inbox",
      search: {},
    },
  ];
}

/** Numbers that want to be zero, each a link to what it counts. */
export function Attention({ facets, summary }: { facets: ListCertificateFacetsResponse; summary: Summary }) {
  return (
    <section aria-label="Needs attention">
      <ul className="grid grid-cols-2 gap-px overflow-hidden rounded-panel border border-line1 bg-line1 sm:grid-cols-4 xl:grid-cols-8">
        {concernsOf(facets, summary).map(({ label, value, tone, icon: Icon, to, search }) => (
          <li key={label} className="bg-bg1">
            <Link
              to={to}
              search={search as never}
              className={cx("flex h-full flex-col gap-0.5 px-4 py-3 hover:bg-bg2", toneClass[tone])}
            >
              <span className={cx("font-semibold text-xl", value === 0 ? "text-fg2" : "tone-text")}>
                {numberText(value)}
              </span>
              <span
                className={cx("flex items-center gap-1.5 text-sm", value === 0 ? "text-fg2" : "text-fg1")}
              >
                <Icon aria-hidden size={13} className="shrink-0" />
                {label}
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}
