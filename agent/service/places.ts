/** Where the service's files lie. */
export const places = {
  directory: "/etc/certctl",
  /** Settings, for root alone. */
  environment: "/etc/certctl/agent.env",
  /** What the host's owner allows. */
  hostFile: "/etc/certctl/agent.yaml",
  units: "/etc/systemd/system",
  unit: "/etc/systemd/system/certctl-agent.service",
  service: "certctl-agent",
  data: "/var/lib/certctl",
};

/** Of places.data, as systemd names it. */
export const stateDirectory = "certctl";
