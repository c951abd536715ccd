import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
} from "@tanstack/react-router";
import { SignInPage } from "./session/sign-in-page.tsx";
import { NotFound, RouteError } from "./shell/route-error.tsx";
import { Shell } from "./shell/shell.tsx";
import { parseSearch, type Search, stringifySearch } from "./url/search.ts";

const root = createRootRoute({
  component: Outlet,
  // Pages read their own parameters; what they do not know is kept.
  validateSearch: (search: Record<string, unknown>): Search => search as Search,
});

const signIn = createRoute({ getParentRoute: () => root, path: "/sign-in", component: SignInPage });

/** Every page that shows something of the control plane. */
const signedIn = createRoute({ getParentRoute: () => root, id: "signed-in", component: Shell });

const pages = [
  createRoute({
    getParentRoute: () => signedIn,
    path: "/",
    component: lazyRouteComponent(() => import("./pages/overview/overview-page.tsx"), "OverviewPage"),
  }),
  createRoute({
    getParentRoute: () => signedIn,
    path: "/certificates",
    component: lazyRouteComponent(
      () => import("./pages/certificates/certificates-page.tsx"),
      "CertificatesPage",
    ),
  }),
  createRoute({
    getParentRoute: () => signedIn,
    path: "/renewals",
    component: lazyRouteComponent(() => import("./pages/renewals/renewals-page.tsx"), "RenewalsPage"),
  }),
  createRoute({
    getParentRoute: () => signedIn,
    path: "/jobs",
    component: lazyRouteComponent(() => import("./pages/jobs/jobs-page.tsx"), "JobsPage"),
  }),
  createRoute({
    getParentRoute: () => signedIn,
    path: "/jobs/$id",
    component: lazyRouteComponent(() => import("./pages/jobs/job-page.tsx"), "JobPage"),
  }),
  createRoute({
    getParentRoute: () => signedIn,
    path: "/operations",
    component: lazyRouteComponent(() => import("./pages/operations/operations-page.tsx"), "OperationsPage"),
  }),
  createRoute({
    getParentRoute: () => signedIn,
    path: "/operations/$id",
    component: lazyRouteComponent(() => import("./pages/operations/operation-page.tsx"), "OperationPage"),
  }),
  createRoute({
    getParentRoute: () => signedIn,
    path: "/inbox",
    component: lazyRouteComponent(() => import("./pages/inbox/inbox-page.tsx"), "InboxPage"),
  }),
  createRoute({
    getParentRoute: () => signedIn,
    path: "/agents",
    component: lazyRouteComponent(() => import("./pages/agents/agents-page.tsx"), "AgentsPage"),
  }),
  createRoute({
    getParentRoute: () => signedIn,
    path: "/agents/$id",
    component: lazyRouteComponent(() => import("./pages/agents/agent-page.tsx"), "AgentPage"),
  }),
  createRoute({
    getParentRoute: () => signedIn,
    path: "/targets",
    component: lazyRouteComponent(() => import("./pages/targets/targets-page.tsx"), "TargetsPage"),
  }),
  createRoute({
    getParentRoute: () => signedIn,
    path: "/targets/$id",
    component: lazyRouteComponent(() => import("./pages/targets/target-page.tsx"), "TargetPage"),
  }),
  createRoute({
    getParentRoute: () => signedIn,
    path: "/map",
    component: lazyRouteComponent(() => import("./pages/map/map-page.tsx"), "MapPage"),
  }),
  createRoute({
    getParentRoute: () => signedIn,
    path: "/authorities",
    component: lazyRouteComponent(
      () => import("./pages/authorities/authorities-page.tsx"),
      "AuthoritiesPage",
    ),
  }),
  createRoute({
    getParentRoute: () => signedIn,
    path: "/authorities/$id",
    component: lazyRouteComponent(() => import("./pages/authorities/authority-page.tsx"), "AuthorityPage"),
  }),
  createRoute({
    getParentRoute: () => signedIn,
    path: "/issuers",
    component: lazyRouteComponent(() => import("./pages/issuers/issuers-page.tsx"), "IssuersPage"),
  }),
  createRoute({
    getParentRoute: () => signedIn,
    path: "/issuers/$id",
    component: lazyRouteComponent(() => import("./pages/issuers/issuer-page.tsx"), "IssuerPage"),
  }),
  createRoute({
    getParentRoute: () => signedIn,
    path: "/policies",
    component: lazyRouteComponent(() => import("./pages/policies/policies-page.tsx"), "PoliciesPage"),
  }),
  createRoute({
    getParentRoute: () => signedIn,
    path: "/policies/renewal",
    component: lazyRouteComponent(
      () => import("./pages/policies/renewal-policies-page.tsx"),
      "RenewalPoliciesPage",
    ),
  }),
  createRoute({
    getParentRoute: () => signedIn,
    path: "/policies/$id",
    component: lazyRouteComponent(() => import("./pages/policies/policy-page.tsx"), "PolicyPage"),
  }),
  createRoute({
    getParentRoute: () => signedIn,
    path: "/owners",
    component: lazyRouteComponent(() => import("./pages/owners/owners-page.tsx"), "OwnersPage"),
  }),
  createRoute({
    getParentRoute: () => signedIn,
    path: "/owners/teams",
    component: lazyRouteComponent(() => import("./pages/owners/teams-page.tsx"), "TeamsPage"),
  }),
  createRoute({
    getParentRoute: () => signedIn,
    path: "/owners/$id",
    component: lazyRouteComponent(() => import("./pages/owners/owner-page.tsx"), "OwnerPage"),
  }),
  createRoute({
    getParentRoute: () => signedIn,
    path: "/teams/$id",
    component: lazyRouteComponent(() => import("./pages/owners/team-page.tsx"), "TeamPage"),
  }),
  createRoute({
    getParentRoute: () => signedIn,
    path: "/audit",
    component: lazyRouteComponent(() => import("./pages/audit/audit-page.tsx"), "AuditPage"),
  }),
  createRoute({
    getParentRoute: () => signedIn,
    path: "/audit/$id",
    component: lazyRouteComponent(() => import("./pages/audit/event-page.tsx"), "EventPage"),
  }),
  createRoute({
    getParentRoute: () => signedIn,
    path: "/settings",
    component: lazyRouteComponent(() => import("./pages/settings/preferences-page.tsx"), "PreferencesPage"),
  }),
  createRoute({
    getParentRoute: () => signedIn,
    path: "/settings/api-keys",
    component: lazyRouteComponent(() => import("./pages/settings/api-keys-page.tsx"), "ApiKeysPage"),
  }),
  createRoute({
    getParentRoute: () => signedIn,
    path: "/settings/channels",
    component: lazyRouteComponent(() => import("./pages/settings/channels-page.tsx"), "ChannelsPage"),
  }),
  createRoute({
    getParentRoute: () => signedIn,
    path: "/settings/scheduler",
    component: lazyRouteComponent(() => import("./pages/settings/scheduler-page.tsx"), "SchedulerPage"),
  }),
  createRoute({
    getParentRoute: () => signedIn,
    path: "/certificates/$id",
    component: lazyRouteComponent(
      () => import("./pages/certificate/certificate-page.tsx"),
      "CertificatePage",
    ),
  }),
  createRoute({
    getParentRoute: () => signedIn,
    path: "/certificates/$id/$tab",
    component: lazyRouteComponent(
      () => import("./pages/certificate/certificate-page.tsx"),
      "CertificatePage",
    ),
  }),
  createRoute({
    getParentRoute: () => signedIn,
    path: "/certificates/$id/versions/$version",
    component: lazyRouteComponent(
      () => import("./pages/certificate/certificate-page.tsx"),
      "CertificatePage",
    ),
  }),
] as const;

export function createPages() {
  return createRouter({
    routeTree: root.addChildren([signIn, signedIn.addChildren([...pages])]),
    parseSearch,
    stringifySearch,
    defaultPreload: "intent",
    defaultErrorComponent: RouteError,
    defaultNotFoundComponent: NotFound,
    scrollRestoration: true,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createPages>;
  }
}
