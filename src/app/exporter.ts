import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { servedCertificate } from '../certificates/handshake.ts';
import { collect } from '../exporter/collect.ts';
import { Exporter } from '../exporter/exporter.ts';
import { paths } from '../paths.ts';
import { environment } from '../settings/environment.ts';
import { systemClock } from '../system/clock.ts';
import { STACK_METRICS } from '../system/metrics-file.ts';

/** Where Prometheus asks (monitoring/prometheus.yml). */
const PORT = 9464;
/** nginx as the network of the stack knows it. */
const FRONT = { host: 'nginx', port: 443, timeout: 3_000 };
const BEAT = 5_000;

export interface OpenExporter {
  close(): Promise<void>;
}

/** Puts the real parts of the exporter together and opens it. Compose hands it three settings and nothing secret. */
export async function openExporter(log: (line: string) => void): Promise<OpenExporter> {
  const { DOMAIN = 'localhost', AUTH, LISTEN } = environment();
  const folders = { stack: STACK_METRICS, state: paths().metrics };
  const running = ['registry', 'nginx', ...(AUTH === 'registry' ? [] : ['gate'])];
  const shake = LISTEN === 'plain' ? undefined : () => servedCertificate({ ...FRONT, servername: DOMAIN });
  const exporter = new Exporter({
    collect: () => collect({ folders, running, shake, clock: systemClock }),
    tell: log,
  });

  const ending = new AbortController();
  const beat = async () => {
    while (!ending.signal.aborted) {
      await writeFile(join(tmpdir(), 'alive'), ''); // the health check of the part looks at its age
      await systemClock.sleep(BEAT, ending.signal).catch(() => undefined);
    }
  };
  const beating = beat();
  await exporter.listen(PORT);
  return {
    close: async () => {
      ending.abort();
      await exporter.close();
      await beating;
    },
  };
}
