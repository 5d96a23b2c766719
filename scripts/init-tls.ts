import { Command } from 'commander';
import {
  type App,
  lockFile,
  openApp,
  openEvents,
  openHost,
  openJournal,
  openWorkshop,
  renewalParts,
} from '../src/app/app.ts';
import { bringAlong, imagesToFollow } from '../src/app/relocation/by-hand.ts';
import { openServiceManager, unitOfHost } from '../src/app/unit.ts';
import { expectNoneHalfDone } from '../src/backup/begun.ts';
import { ensurePlaceholder } from '../src/certificates/placeholder.ts';
import { ensureCertificate } from '../src/certificates/renewal.ts';
import { askConsent, askToFollow } from '../src/cli/consent.ts';
import { main } from '../src/cli/main.ts';
import { Story } from '../src/cli/story.ts';
import { conclude } from '../src/cli/summary.ts';
import { Terminal } from '../src/cli/terminal.ts';
import { userName } from '../src/cli/user-name.ts';
import { connect } from '../src/engine/connect.ts';
import { ensureEngine } from '../src/host/install.ts';
import { refreshUnit } from '../src/host/install-unit.ts';
import { gatherUnitFacts } from '../src/host/unit-facts.ts';
import { ensureImages } from '../src/images/ensure.ts';
import { expectIssuable } from '../src/issuers/names.ts';
import { ensureProof } from '../src/registry/ensure-proof.ts';
import { handOn, readRules } from '../src/retention/handed-on.ts';
import { ensureSettings } from '../src/settings/ensure.ts';
import { recordFindings } from '../src/settings/generated.ts';
import { loadSettings } from '../src/settings/load.ts';
import { awaitNginx, awaitRegistry } from '../src/stack/answer.ts';
import { type Part, recentLog } from '../src/stack/compose.ts';
import { ensureFolders } from '../src/stack/folders.ts';
import { expectRoom } from '../src/stack/image-disk.ts';
import { awaitMirror, ensureUpstream } from '../src/stack/mirror.ts';
import { startMonitoring } from '../src/stack/monitoring.ts';
import { expectNotMoved, readMove } from '../src/stack/moved.ts';
import { ensurePortsFree } from '../src/stack/ports.ts';
import { ensureProjectOurs } from '../src/stack/project.ts';
import { startRenewer } from '../src/stack/renewer.ts';
import { startServing } from '../src/stack/serving.ts';
import { ensureStorage, noteImages } from '../src/storage/ensure.ts';
import { withLock } from '../src/system/lock.ts';
import { ensureFirstUser, forgetPassword } from '../src/users/first-user.ts';

interface Options {
  readonly yes: boolean;
  readonly prepare: boolean;
  readonly user: string;
  readonly json: boolean;
  readonly keepPassword: boolean;
}

await main(
  new Command('npm run init-tls --')
    .description('From nothing to a verified private registry. Run again, it changes only what differs.')
    .option('-y, --yes', 'install what is missing without asking', false)
    .option('--prepare', 'check and install everything, and start nothing', false)
    .option('--user <name>', 'name of the first user', userName, 'admin')
    .option('--json', 'print the result as JSON', false)
    .option('--keep-password', 'show the first user’s password again at the next run', false)
    .action(async (options: Options) => {
      const app = openApp();
      await withLock(lockFile(app, 'init-tls'), 'npm run init-tls', app.clock, () => initTls(app, options));
    }),
);

/** The whole story, in order. Each step looks first, and changes only what differs. */
async function initTls(app: App, options: Options): Promise<void> {
  const { yes, prepare, user, json, keepPassword } = options;
  const { paths, run, clock, environment } = app;
  const terminal = new Terminal(json ? process.stderr : process.stdout);
  const story = new Story(terminal, clock);
  const consent = askConsent(terminal, yes);

  // What is on its way here from another machine may be prepared, and must not be started.
  if (!prepare || (await readMove(paths))?.kind === 'gone') await expectNotMoved(paths);
  expectNoneHalfDone(await openJournal(app, 'restore').interrupted());
  const rules = await readRules(paths);
  const wanted = await story.step('Settings', () => ensureSettings(paths, environment));
  await story.step('Names', () => expectIssuable(wanted, clock));
  await story.stepFor(wanted.mirror, 'Upstream', (mirror) => ensureUpstream(mirror, clock));
  await story.step('Folders', () => ensureFolders(paths, wanted));
  await story.step('Clean-up', () => handOn(paths, rules));
  const along = await imagesToFollow(app, wanted, askToFollow(terminal, yes));
  await story.step('Storage', (report) => ensureStorage(app, wanted, report, along?.from));
  const disk = await story.step('Disk', () => expectRoom(wanted));
  await story.step('Docker', (report) => ensureEngine(openHost(app, wanted.proxy), consent, report));
  const engine = connect(environment.DOCKER_HOST);
  await story.step('Project', () => ensureProjectOurs(engine, paths, wanted.project));
  await story.step('Ports', () => ensurePortsFree(engine, wanted));

  const workshop = openWorkshop(app, wanted, engine, consent);
  const images = await story.step('Images', (report) => ensureImages(wanted, workshop, report));
  await story.step('Configuration', () => recordFindings(app, wanted, images));
  if (prepare) return;
  const settings = await loadSettings(paths, environment);

  const renewal = renewalParts(app, settings, engine);
  const { store, names } = renewal;
  await story.step('Placeholder', () => ensurePlaceholder(store, names, clock));
  const firstUser = await story.step('First user', () => ensureFirstUser(paths, user));
  if (along !== undefined) await bringAlong(app, settings, engine, along, story);
  const place = { engine, run, paths };
  const log = (part: Part) => recentLog(app, part);
  await story.step('Stack', (report) => startServing(place, settings, report));
  await story.step('nginx', () => awaitNginx(settings, renewal.webServer, clock, log));
  await story.step('Registry', () => awaitRegistry(settings, clock, log));
  await story.stepFor(settings.mirror, 'Mirror', (mirror) =>
    awaitMirror(settings, mirror, { engine, clock, log }),
  );

  // The renewer runs whatever comes of these: it tries again, and tells whom it concerns.
  const keepItFresh = () => story.step('Renewer', (report) => startRenewer(place, settings, clock, report));
  const current = await story.step(
    'Certificate',
    (report) => ensureCertificate(renewal, { force: false }, report),
    keepItFresh,
  );
  await story.step(
    'Proof',
    (report) => ensureProof({ ...app, engine, settings }, { current, images }, report),
    keepItFresh,
  );
  await noteImages(paths, settings);

  await keepItFresh();
  await story.stepFor(settings.monitoring, 'Monitoring', (monitoring, report) =>
    startMonitoring(place, { ...settings, monitoring }, clock, report),
  );
  await story.stepFor(unitOfHost(app, settings), 'Unit', (unit, report) =>
    refreshUnit(openServiceManager(app), unit, () => gatherUnitFacts(run, unit), report),
  );

  conclude(terminal, story, { app, settings, disk, firstUser, certificate: current.certificate, json });
  if (!keepPassword) await forgetPassword(paths);
  const different = story.records.filter((step) => step.changed).map(({ title }) => title);
  if (different.length > 0)
    await openEvents(app).record('init-tls', 'done', `changed ${different.join(', ')}`);
}
