/** What is written to the registry, as its own figures say (distribution's registry/handlers, `http.debug.prometheus`). */
export interface Traffic {
  /** Requests with an upload that are on their way. */
  readonly uploads: number;
  /** Requests that wrote something, since the registry started. */
  readonly written: number;
}

const UPLOADS = /^registry_http_in_flight_requests\{handler="blob_upload(?:_chunk)?"\} (\S+)$/gm;
const WRITTEN = /^registry_http_requests_total\{[^}]*method="(?:post|put|patch|delete)"[^}]*\} (\S+)$/gm;

/** Reads Prometheus' text format. `undefined` for figures that have nothing about requests. */
export function readTraffic(figures: string): Traffic | undefined {
  if (figures.match(UPLOADS) === null) return undefined;
  return { uploads: sum(figures, UPLOADS), written: sum(figures, WRITTEN) };
}

function sum(figures: string, pattern: RegExp): number {
  return [...figures.matchAll(pattern)].reduce((total, [, value]) => total + Number(value), 0);
}
