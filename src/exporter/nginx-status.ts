import { Counter, Gauge, Registry } from 'prom-client';

/** https://nginx.org/en/docs/http/ngx_http_stub_status_module.html */
const STATUS =
  /^Active connections: (\d+) *\nserver accepts handled requests\n *(\d+) (\d+) (\d+) *\nReading: (\d+) Writing: (\d+) Waiting: (\d+)/;

const GAUGES = {
  nginx_connections_active: 'Active client connections.',
  nginx_connections_reading: 'Connections where nginx is reading the request header.',
  nginx_connections_writing: 'Connections where nginx is writing the response back to the client.',
  nginx_connections_waiting: 'Idle client connections.',
} as const;

/** Not all of them end as a counter should: nginx-prometheus-exporter calls them so, and what is made for it. */
const COUNTERS = {
  nginx_connections_accepted: 'Accepted client connections.',
  nginx_connections_handled: 'Handled client connections.',
  nginx_http_requests_total: 'Total http requests.',
} as const;

/** nginx’s own figures, by the names that nginx-prometheus-exporter gives them; `undefined` for another text. */
export async function nginxMetrics(status: string): Promise<string | undefined> {
  const numbers = STATUS.exec(status)?.slice(1).map(Number);
  if (numbers === undefined) return undefined;
  const [active, accepted, handled, requests, reading, writing, waiting] = numbers;
  const registry = new Registry();
  const registers = [registry];
  const values = {
    nginx_connections_active: active,
    nginx_connections_reading: reading,
    nginx_connections_writing: writing,
    nginx_connections_waiting: waiting,
    nginx_connections_accepted: accepted,
    nginx_connections_handled: handled,
    nginx_http_requests_total: requests,
  };
  for (const [name, help] of entries(GAUGES)) new Gauge({ name, help, registers }).set(values[name] ?? 0);
  for (const [name, help] of entries(COUNTERS)) new Counter({ name, help, registers }).inc(values[name] ?? 0);
  return registry.metrics();
}

function entries<Name extends string>(named: Readonly<Record<Name, string>>): [Name, string][] {
  const names: Name[] = [];
  for (const name in named) names.push(name);
  return names.map((name) => [name, named[name]]);
}
