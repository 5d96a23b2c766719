import { Command } from 'commander';
import { type App, lockFile, openApp, openHost } from '../src/app/app.ts';
import { askConsent } from '../src/cli/consent.ts';
import { givenPath } from '../src/cli/given-path.ts';
import { archiveInWords, neededInWords, savedInWords, toJson } from '../src/cli/images-words.ts';
import { main } from '../src/cli/main.ts';
import { Story } from '../src/cli/story.ts';
import { Terminal } from '../src/cli/terminal.ts';
import { connect } from '../src/engine/connect.ts';
import { WrongInput } from '../src/errors.ts';
import { ensureDebootstrap, ensureEngine } from '../src/host/install.ts';
import { ensureImages } from '../src/images/ensure.ts';
import { imagesHere } from '../src/images/here.ts';
import { loadImages, missingOf } from '../src/images/load-archive.ts';
import { ALL_NEEDS, needsOf } from '../src/images/needs.ts';
import { expectArchive, expectSame } from '../src/images/read-archive.ts';
import { expectSavable, listOf, saveArchive, writeArchive } from '../src/images/save-archive.ts';
import { moorageVersion } from '../src/images/version.ts';
import { loadSettings } from '../src/settings/load.ts';
import { changed, unchanged } from '../src/step.ts';
import { withLock } from '../src/system/lock.ts';

interface Common {
  readonly yes: boolean;
  readonly json: boolean;
}

const STANDARD_OUTPUT = '-';

const command = new Command('npm run images --').description(
  'Carries the stack’s own images in one file to machines that reach no image registry.',
);

command
  .command('save <file>')
  .description('get all images that the stack runs on, and write them into a file (-: standard output)')
  .option('--all', 'also those that these settings don’t need: certbot, Redis, Prometheus, …', false)
  .option('-y, --yes', 'install what is missing without asking', false)
  .option('--json', 'print the result as JSON', false)
  .action((file: string, options: Common & { all: boolean }) => locked((app) => save(app, file, options)));

command
  .command('load <file>')
  .description('check a file, and load what Docker lacks; change nothing else')
  .option('--sha256 <digest>', 'what `save` printed: load nothing from another file')
  .option('-y, --yes', 'install what is missing without asking', false)
  .option('--json', 'print the result as JSON', false)
  .action((file: string, options: Common & { sha256?: string }) => locked((app) => load(app, file, options)));

command
  .command('list [file]')
  .description('show what a file holds; without one, what the stack here runs on')
  .option('--json', 'print it as JSON', false)
  .action(list);

await main(command);

async function locked(work: (app: App) => Promise<void>): Promise<void> {
  const app = openApp();
  await withLock(lockFile(app, 'init-tls'), 'npm run images', app.clock, () => work(app));
}

async function save(app: App, file: string, { all, yes, json }: Common & { all: boolean }): Promise<void> {
  const { paths, run, clock, environment } = app;
  const piped = file === STANDARD_OUTPUT;
  if (piped) expectPipe(environment, json);
  const terminal = new Terminal(json || piped ? process.stderr : process.stdout);
  const story = new Story(terminal, clock);
  const settings = await loadSettings(paths, environment);
  expectSavable(settings);
  const consent = askConsent(terminal, yes);
  const host = openHost(app);

  await story.step('Docker', (report) => ensureEngine(host, consent, report));
  const engine = connect(environment.DOCKER_HOST);
  const workshop = { engine, run, paths, ensureDebootstrap: ensureDebootstrap(host, consent) };
  const needs = all ? ALL_NEEDS : needsOf(settings);
  const names = await story.step('Images', (report) =>
    ensureImages(settings, workshop, report, new Set(), needs),
  );
  const made = { moorage: await moorageVersion(paths), saved: clock.now() };
  const contents = await listOf(engine, names, made);
  const saved = await story.step('Archive', async (report) => {
    const done = piped
      ? await writeArchive(engine.images, contents, 'the archive', process.stdout, report)
      : await saveArchive(engine, contents, givenPath(file), report);
    return changed(savedInWords(contents, done), done);
  });
  if (json) process.stdout.write(toJson({ file, ...saved, ...contents }));
  else terminal.line(`  SHA-256  ${saved.sha256}`); // a table's margin would break it at 80 columns
}

/** npm prints two lines of its own, and a terminal is nothing to write images to. */
function expectPipe(environment: App['environment'], json: boolean): void {
  const problem = process.stdout.isTTY
    ? 'standard output is a terminal: name a file, or pipe it on'
    : json
      ? 'standard output can’t have both images and JSON'
      : environment.npm_lifecycle_event !== undefined && environment.npm_config_loglevel !== 'silent'
        ? 'npm would write into it, too: npm run --silent images -- save -'
        : undefined;
  if (problem !== undefined) throw new WrongInput([{ input: STANDARD_OUTPUT, message: problem }]);
}

async function load(
  app: App,
  file: string,
  { sha256, yes, json }: Common & { sha256?: string },
): Promise<void> {
  const { clock, environment } = app;
  const terminal = new Terminal(json ? process.stderr : process.stdout);
  const story = new Story(terminal, clock);
  const archive = await expectArchive(givenPath(file));
  if (sha256 !== undefined) await story.step('SHA-256', (report) => expectSame(archive.file, sha256, report));
  await story.step('Docker', (report) => ensureEngine(openHost(app), askConsent(terminal, yes), report));
  const engine = connect(environment.DOCKER_HOST);
  const missing = await story.step('Images', async (report) => {
    const wanted = await missingOf(engine, archive.list.images);
    if (wanted.length === 0) return unchanged(`all ${archive.list.images.length} present`, wanted);
    await loadImages(engine, archive, wanted, report);
    const present = archive.list.images.length - wanted.length;
    return changed(`${wanted.length} loaded${present > 0 ? `, ${present} present` : ''}`, wanted);
  });
  if (json)
    process.stdout.write(toJson({ ...archive.list, loaded: missing.map(({ reference }) => reference) }));
  else terminal.paragraph('To run the stack on them, set IMAGES=load in .env.');
}

async function list(file: string | undefined, { json }: { json: boolean }): Promise<void> {
  const app = openApp();
  const terminal = new Terminal(process.stdout);
  if (file !== undefined) {
    const { list: contents } = await expectArchive(givenPath(file));
    if (json) process.stdout.write(toJson(contents));
    else for (const line of archiveInWords(contents)) terminal.line(line);
    return;
  }
  const settings = await loadSettings(app.paths, app.environment);
  const engine = connect(app.environment.DOCKER_HOST);
  const ensureDebootstrap = async () => undefined; // nothing is built
  const images = await imagesHere(settings, { ...app, engine, ensureDebootstrap });
  if (json) process.stdout.write(toJson(images));
  else for (const line of neededInWords(images)) terminal.line(line);
}
