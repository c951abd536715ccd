import {
  Bell,
  CalendarClock,
  ClipboardCheck,
  KeyRound,
  LayoutDashboard,
  ListChecks,
  Network,
  ScrollText,
  Server,
  Settings,
  ShieldCheck,
  Target,
  Users,
  Workflow,
} from "lucide-react";

/** The way to every view; `permission` hides what the caller may not see at all. */
export const navigation = [
  {
    label: undefined,
    entries: [
      { to: "/", label: "Overview", icon: LayoutDashboard, keys: "g o", permission: "stats:read" },
      {
        to: "/certificates",
        label: "Certificates",
        icon: ShieldCheck,
        keys: "g c",
        permission: "certificates:read",
      },
      {
        to: "/renewals",
        label: "Renewals",
        icon: CalendarClock,
        keys: "g r",
        permission: "certificates:read",
      },
      { to: "/jobs", label: "Jobs", icon: ListChecks, keys: "g j", permission: "jobs:read" },
      { to: "/operations", label: "Operations", icon: Workflow, keys: "g b", permission: "operations:read" },
      { to: "/inbox", label: "Inbox", icon: Bell, keys: "g i", permission: "notifications:read" },
    ],
  },
  {
    label: "Delivery",
    entries: [
      { to: "/agents", label: "Agents", icon: Server, keys: "g n", permission: "agents:read" },
      { to: "/targets", label: "Targets", icon: Target, keys: "g t", permission: "targets:read" },
      { to: "/map", label: "Trust map", icon: Network, keys: "g m", permission: "certificates:read" },
    ],
  },
  {
    label: "Govern",
    entries: [
      { to: "/issuers", label: "Issuers", icon: KeyRound, keys: "g s", permission: "issuers:read" },
      { to: "/policies", label: "Policies", icon: ClipboardCheck, keys: "g p", permission: "policies:read" },
      { to: "/owners", label: "Owners & teams", icon: Users, keys: "g u", permission: "owners:read" },
      { to: "/audit", label: "Audit", icon: ScrollText, keys: "g a", permission: "audit:read" },
      { to: "/settings", label: "Settings", icon: Settings, keys: "g ,", permission: undefined },
    ],
  },
] as const;
