/** What a unit of systemd says of this installation. */
export interface ServiceWish {
  /** The program and its arguments, absolute paths. */
  argv: readonly [string, ...string[]];
  /** Who the agent runs as. */
  user: string;
  /** Settings, `NAME=value` a line; only root can read it. */
  environmentFile: string;
  /** Below /var/lib, made by systemd for the user alone. */
  stateDirectory: string;
  /** What of /etc and /usr the agent writes to: agent.yaml's allowed directories. */
  writable: readonly string[];
}

/** What commands of servers need of root: to change owners, to read what is others', to become the server's user, to signal it. */
const rootCapabilities =
  "CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_KILL CAP_NET_BIND_SERVICE CAP_SETGID CAP_SETUID";
/** To answer ACME's challenges on ports 80 and 443. */
const userCapabilities = "CAP_NET_BIND_SERVICE";

/**
 * A unit (systemd.unit(5), systemd.exec(5)) that leaves the agent what it needs. MemoryDenyWriteExecute is left out: V8 compiles at
 * run time. ProtectSystem is not strict: tests of servers' configurations write below /run and /var.
 */
export function unitText({ argv, user, environmentFile, stateDirectory, writable }: ServiceWish): string {
  const isRoot = user === "root";
  const capabilities = isRoot ? rootCapabilities : userCapabilities;
  return `# Written by "certctl agent install"; run it again after a change of agent.yaml's allowed_directories.
[Unit]
Description=certctl agent
Wants=network-online.target
After=network-online.target

[Service]
ExecStart=${argv.map(word).join(" ")}
EnvironmentFile=${environmentFile}
User=${user}
StateDirectory=${stateDirectory}
StateDirectoryMode=0700
UMask=0077
Restart=always
RestartSec=5

CapabilityBoundingSet=${capabilities}
${isRoot ? "" : `AmbientCapabilities=${userCapabilities}\n`}NoNewPrivileges=yes
ProtectSystem=full
${writable.map((each) => `ReadWritePaths=-${path(each)}\n`).join("")}ProtectHome=${argv.some(isInHome) ? "read-only" : "yes"}
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
LockPersonality=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
`;
}

/** The directories that a unit lets be written to, as unitText wrote them. */
export function writableOf(unit: string): string[] {
  return Array.from(unit.matchAll(/^ReadWritePaths=-"(.*)"$/gm), ([, quoted = ""]) =>
    quoted.replaceAll(/%%|\\(["\\])/g, (found, escaped) => escaped ?? found.slice(1)),
  );
}

/** A service without homes could not start what lies in one. */
const isInHome = (argument: string) => /^\/(home|root|run\/user)\//.test(argument);

/** Quoted as systemd.syntax(7) wants it; "%" and, in commands, "$" stand for something else otherwise. */
function path(text: string): string {
  return `"${text.replaceAll(/["\\]/g, "\\$&").replaceAll("%", "%%")}"`;
}

function word(text: string): string {
  return path(text).replaceAll("$", "$$$$");
}
