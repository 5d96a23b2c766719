import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { openAlerter, openApp, renewalParts } from '../src/app.ts';
import { prepare, type Standing, tick } from '../src/certificates/keeper.ts';
import { main } from '../src/cli/main.ts';
import { connect } from '../src/engine/connect.ts';
import { loadSettings } from '../src/settings/load.ts';
import { startTicker } from '../src/system/ticker.ts';

await main(
  new Command('npm run daemon --')
    .description('Keeps the certificate fresh: looks every ten minutes, until it is told to stop (SIGTERM).')
    .action(daemon),
);

async function daemon(): Promise<void> {
  const app = openApp();
  const settings = await loadSettings(app.paths, app.environment);
  const engine = settings.issuer === 'certbot' ? connect(app.environment.DOCKER_HOST) : undefined;
  const parts = renewalParts(app, settings, engine);
  const alerter = openAlerter(app, settings);
  const log = (line: string) => process.stdout.write(`${app.clock.now().toISOString()} ${line}\n`);
  const tell = async (standing: Standing) => alerter?.look({ domain: settings.domain, ...standing }) ?? [];

  log(`keeping the certificate for ${settings.names.join(', ')} by ${settings.issuer}`);
  await prepare(parts, log);
  const ticker = startTicker(app.clock, async () => {
    const next = await tick(parts, { log, tell });
    await writeFile(join(tmpdir(), 'last-tick'), ''); // the health check of the renewer looks at its age
    return next;
  });
  await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
  await ticker.stop();
  log('stopped');
}
