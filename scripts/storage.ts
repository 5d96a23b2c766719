import { Command } from 'commander';
import { type App, lockFile, openApp, openEvents, openHost, openJournal } from '../src/app/app.ts';
import {
  cancelMove,
  describeMove,
  dropPlace,
  expectDroppable,
  expectMovable,
  forgetGone,
} from '../src/app/relocation/choice.ts';
import { relocate } from '../src/app/relocation/relocation.ts';
import { withStorage } from '../src/app/storage.ts';
import { openServiceManager, unitOfHost } from '../src/app/unit.ts';
import { agreesTo } from '../src/cli/consent.ts';
import { givenPath } from '../src/cli/given-path.ts';
import { main } from '../src/cli/main.ts';
import { movedInWords } from '../src/cli/relocation-words.ts';
import { seconds } from '../src/cli/seconds.ts';
import { Story } from '../src/cli/story.ts';
import { Terminal } from '../src/cli/terminal.ts';
import { connect } from '../src/engine/connect.ts';
import type { Engine } from '../src/engine/engine.ts';
import { refreshUnit } from '../src/host/install-unit.ts';
import { gatherUnitFacts } from '../src/host/unit-facts.ts';
import { chooseRoute } from '../src/relocation/choose.ts';
import { loadSettings } from '../src/settings/load.ts';
import type { Settings } from '../src/settings/settings.ts';
import { isAlive } from '../src/stack/alive.ts';
import { expectOwnState } from '../src/stack/folders.ts';
import { ensureProjectOurs } from '../src/stack/project.ts';
import { resumeRenewer } from '../src/stack/renewer.ts';
import { expectSetUp } from '../src/stack/set-up.ts';
import { DROP, oldPlaceInWords, readOldPlaces } from '../src/storage/old-places.ts';
import { withLock } from '../src/system/lock.ts';

interface MoveOptions {
  readonly wait: number;
  readonly allowDamaged: boolean;
  readonly forget: boolean;
  readonly json: boolean;
}

interface DropOptions {
  readonly yes: boolean;
  readonly forget: boolean;
  readonly json: boolean;
}

interface Tools {
  readonly app: App;
  readonly settings: Settings;
  readonly engine: Engine;
  readonly terminal: Terminal;
  readonly story: Story;
}

const command = new Command('npm run storage --').description(
  'Moves the registry’s images to another folder of this machine.',
);

command
  .command('move')
  .argument('[dir]', 'the folder to move to; without it, an interrupted move is finished')
  .description('move all images to another folder: pulls go on, pushes are refused for some seconds')
  .option('--wait <seconds>', 'how long to wait for uploads in progress', seconds, 300)
  .option('--allow-damaged', 'take damaged files along as they are', false)
  .option(
    '--forget',
    'end it also where the old place is gone for good, with what was pushed to it last',
    false,
  )
  .option('--json', 'print the result as JSON', false)
  .action((dir: string | undefined, options: MoveOptions) =>
    exclusively('npm run storage -- move', options.json, (tools) => move(tools, dir, options)),
  );

command
  .command('cancel')
  .description('give up a move that was interrupted')
  .option('--forget', 'also where one of both places is gone for good, with what was only there', false)
  .action(({ forget }: { forget: boolean }) =>
    exclusively('npm run storage -- cancel', false, async ({ app, settings, engine, story }) => {
      await story.step('Given up', (report) => cancelMove(app, settings, engine, report, forget));
    }),
  );

command
  .command('drop-old')
  .description('remove the images that a move left in their old place')
  .option('-y, --yes', 'don’t ask', false)
  .option('--forget', 'forget an old place that is gone for good; remove nothing', false)
  .option('--json', 'print the result as JSON', false)
  .action((options: DropOptions) =>
    exclusively('npm run storage -- drop-old', options.json, (tools) => dropOld(tools, options)),
  );

await main(command);

async function exclusively(
  what: string,
  json: boolean,
  work: (tools: Tools) => Promise<void>,
): Promise<void> {
  const app = openApp();
  // Root may do it for somebody else: what an older registry wrote only root can remove.
  if (!openHost(app).root) await expectOwnState(app.paths);
  await expectSetUp(app.paths);
  await withStorage(app, what, () =>
    withLock(lockFile(app, 'init-tls'), what, app.clock, async () => {
      const settings = await loadSettings(app.paths, app.environment);
      const engine = connect(app.environment.DOCKER_HOST);
      await engine.version(); // says how to get one that answers
      await ensureProjectOurs(engine, app.paths, settings.project);
      const terminal = new Terminal(json ? process.stderr : process.stdout);
      await work({ app, settings, engine, terminal, story: new Story(terminal, app.clock) });
    }),
  );
}

async function move(
  { app, settings, engine, terminal, story }: Tools,
  dir: string | undefined,
  { wait, allowDamaged, forget, json }: MoveOptions,
): Promise<void> {
  const asked = dir === undefined ? undefined : givenPath(dir);
  const route = await chooseRoute(openJournal(app, 'storage'), app.paths, settings, asked);
  if (route === 'there already') {
    terminal.line(`The images are in ${asked} already.`);
    await followOn({ app, engine, story }); // whom a kill may have left on the old place
    if (json) process.stdout.write(`${JSON.stringify({ changed: story.changed, to: asked }, null, 2)}\n`);
    return;
  }
  await expectMovable(app, settings, route);
  if (route.begun) terminal.line(`A move to ${route.to} was interrupted; it is brought to its end.`);
  terminal.paragraph(await describeMove(route));
  if (settings.mirror !== undefined)
    terminal.paragraph(
      'What the mirror remembers stays where it is (MIRROR_DATA_DIR): it is fetched again by itself.',
    );
  const moved = await relocate(app, settings, engine, { ...route, wait, allowDamaged, forget }, story);
  await followOn({ app, engine, story });
  terminal.line();
  terminal.table([['Moved', movedInWords(moved)]]);
  if (json)
    process.stdout.write(`${JSON.stringify({ changed: true, ...moved, steps: story.records }, null, 2)}\n`);
}

/** Who looks after images beside the stack's parts has to look at the new place, too. */
async function followOn({ app, engine, story }: Pick<Tools, 'app' | 'engine' | 'story'>): Promise<void> {
  const { paths, clock, run } = app;
  const settings = await loadSettings(paths, app.environment);
  const stack = await engine.containers.ofProject(settings.project);
  const stopped = stack.length > 0 && !stack.some(isAlive); // and stays so
  await story.stepFor(stopped ? undefined : settings, 'Renewer', (wanted, report) =>
    resumeRenewer({ engine, run, paths }, wanted, clock, report),
  );
  await story.stepFor(unitOfHost(app, settings), 'Unit', (unit, report) =>
    refreshUnit(openServiceManager(app), unit, () => gatherUnitFacts(run, unit), report),
  );
}

async function dropOld(tools: Tools, { yes, forget, json }: DropOptions): Promise<void> {
  const { app, settings, engine, terminal, story } = tools;
  const places = await readOldPlaces(app.paths.oldPlaces);
  if (places.length === 0) terminal.line('There is no old place.');
  const gone = forget ? (await forgetGone(app.paths.oldPlaces)).map(({ folder }) => folder) : [];
  for (const place of places) {
    if (forget) {
      const there = `is there, and not forgotten: ${DROP}`;
      terminal.line(`${place.folder} ${gone.includes(place.folder) ? 'is forgotten.' : there}`);
      continue;
    }
    await story.step('New place', () => expectDroppable(app, settings, engine, place));
    terminal.paragraph(`${oldPlaceInWords(place)}.`);
    if (!(await agreesTo(terminal, yes, `Remove the images in ${place.folder}?`))) continue;
    await story.step('Dropped', () => dropPlace(app, engine, place));
    await openEvents(app).record('storage', 'done', `the old place ${place.folder} was dropped`);
  }
  if (json) {
    const left = await readOldPlaces(app.paths.oldPlaces);
    process.stdout.write(`${JSON.stringify({ changed: left.length < places.length, left }, null, 2)}\n`);
  }
}
