import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { openApp, renewalParts } from '../src/app/app.ts';
import { openChores, openListeners } from '../src/app/daemon.ts';
import { openServiceManager, unitWishes } from '../src/app/unit.ts';
import { prepare, tick } from '../src/certificates/keeper.ts';
import { main } from '../src/cli/main.ts';
import { Story } from '../src/cli/story.ts';
import { Terminal } from '../src/cli/terminal.ts';
import { connect } from '../src/engine/connect.ts';
import { expectServiceManager, installUnit, uninstallUnit } from '../src/host/install-unit.ts';
import { gatherUnitFacts } from '../src/host/unit-facts.ts';
import { loadSettings } from '../src/settings/load.ts';
import { leaveToContainer, leaveToHost, loadUnattended } from '../src/settings/unattended.ts';
import { expectOwnState } from '../src/stack/folders.ts';
import { ensureProjectOurs } from '../src/stack/project.ts';
import { resumeRenewer, startRenewer } from '../src/stack/renewer.ts';
import { sparingly } from '../src/system/sparingly.ts';
import { startTicker } from '../src/system/ticker.ts';

await main(
  new Command('npm run daemon --')
    .description(
      'Keeps the certificate fresh, and goes by retention.yaml: looks every ten minutes, until it is told to stop (SIGTERM).',
    )
    .addOption(new Option('--install', 'have systemd run it on this machine, instead of the container'))
    .addOption(new Option('--uninstall', 'leave it to the container again').conflicts('install'))
    .action((options: { install?: true; uninstall?: true }) => {
      if (options.install) return install();
      return options.uninstall ? uninstall() : daemon();
    }),
);

async function install(): Promise<void> {
  const app = openApp();
  const manager = openServiceManager(app);
  await expectServiceManager(manager, app.paths.root, '--install');
  const settings = await loadUnattended(app.paths, app.environment);
  const place = { ...app, engine: connect(app.environment.DOCKER_HOST) };
  await place.engine.version(); // says how to get one that answers
  await ensureProjectOurs(place.engine, app.paths, settings.project);
  const facts = await gatherUnitFacts(app.run, unitWishes(app, settings));
  const story = new Story(new Terminal(process.stdout), app.clock);

  // The container goes last: until the unit works there is one that does.
  await leaveToHost(app.paths, settings, () =>
    story.step('Unit', (report) => installUnit(manager, facts, report)),
  );
  const switchedOff = await loadSettings(app.paths, {});
  await story.step('Container', (report) => startRenewer(place, switchedOff, app.clock, report));
}

async function uninstall(): Promise<void> {
  const app = openApp();
  const manager = openServiceManager(app);
  await expectServiceManager(manager, app.paths.root, '--uninstall');
  const settings = await loadUnattended(app.paths, app.environment);
  const place = { ...app, engine: connect(app.environment.DOCKER_HOST) };
  const story = new Story(new Terminal(process.stdout), app.clock);

  await story.step('Unit', () => uninstallUnit(manager, unitWishes(app, settings)));
  await leaveToContainer(app.paths);
  await place.engine.version();
  const switchedOn = await loadSettings(app.paths, {});
  await story.step('Container', (report) => resumeRenewer(place, switchedOn, app.clock, report));
}

async function daemon(): Promise<void> {
  const app = openApp();
  await expectOwnState(app.paths);
  const settings = await loadSettings(app.paths, app.environment);
  const engine = settings.issuer === 'certbot' ? connect(app.environment.DOCKER_HOST) : undefined;
  const parts = renewalParts(app, settings, engine);
  const log = sparingly((line) => process.stdout.write(`${app.clock.now().toISOString()} ${line}\n`));
  const listeners = openListeners(app, settings, log);
  const doChores = openChores(app, settings, log);

  log(`keeping the certificate for ${settings.names.join(', ')} by ${settings.issuer}`);
  await prepare(parts, log);
  const ticker = startTicker(app.clock, async () => {
    const next = await tick(parts, listeners);
    await doChores();
    await writeFile(join(tmpdir(), 'last-tick'), ''); // the health check of the renewer looks at its age
    return next;
  });
  await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
  await ticker.stop();
  log('stopped');
}
