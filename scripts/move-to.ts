import { text } from 'node:stream/consumers';
import { Command, Option } from 'commander';
import { type App, lockFile, openApp, openEvents } from '../src/app/app.ts';
import { copyFirst } from '../src/app/move/copy-first.ts';
import { expectMovable } from '../src/app/move/departure.ts';
import {
  anythingRuns,
  closeThere,
  despiteLoss,
  expectGone,
  expectHandedOver,
  expectNotHalfDone,
  openHere,
  stopHere,
} from '../src/app/move/end.ts';
import { doFarTask } from '../src/app/move/far-task.ts';
import { expectMeant, whatToTakeBack, whereTo } from '../src/app/move/goal.ts';
import { handOver } from '../src/app/move/hand-over.ts';
import { expectPlace } from '../src/app/move/place.ts';
import { movingParts, openTravel, type Travel, WHO } from '../src/app/move/travel.ts';
import { several } from '../src/cli/arguments.ts';
import { agreesTo } from '../src/cli/consent.ts';
import { readFolder } from '../src/cli/folder-input.ts';
import { main } from '../src/cli/main.ts';
import {
  handOverAsJson,
  showHandOver,
  showLeftBehind,
  showMovePlan,
  showTakenBack,
} from '../src/cli/move-words.ts';
import { seconds } from '../src/cli/seconds.ts';
import { Story } from '../src/cli/story.ts';
import { Terminal } from '../src/cli/terminal.ts';
import { parseSet } from '../src/deploy/settings.ts';
import { DEFAULT_FOLDER } from '../src/deploy/target.ts';
import type { Goal } from '../src/move/course.ts';
import { FAR_TASKS, type FarTask } from '../src/move/far.ts';
import { discardState } from '../src/move/state.ts';
import { loadSettings } from '../src/settings/load.ts';
import type { Settings } from '../src/settings/settings.ts';
import { expectOwnState } from '../src/stack/folders.ts';
import { expectSetUp } from '../src/stack/set-up.ts';
import { withLock } from '../src/system/lock.ts';

interface Options {
  readonly dir?: string;
  readonly set: readonly string[];
  readonly wait: number;
  readonly yes: boolean;
  readonly force: boolean;
  readonly finish?: true;
  readonly cancel?: true;
  readonly far?: FarTask;
  readonly json: boolean;
}

await main(
  new Command('npm run move-to --')
    .description(
      'Moves this registry to another machine: images, users, settings, certificates. Pulls go on throughout.',
    )
    .argument('[user@host]', 'reached by ssh, as root or with sudo; an interrupted move remembers it')
    .option('--dir <folder>', `where to put it there (default: ${DEFAULT_FOLDER})`, readFolder)
    .option('--set <NAME=VALUE>', 'a setting that differs there; may be repeated', several, [])
    .option('--wait <seconds>', 'how long to wait for uploads in progress', seconds, 300)
    .option('-y, --yes', 'don’t ask before moving and before installing what is missing there', false)
    .addOption(new Option('--finish', 'stop the old one for good, once the name leads to the new one'))
    .addOption(new Option('--cancel', 'go back to the old one, and stop the new one').conflicts('finish'))
    .option(
      '--force',
      'even if the certificate is due, the name leads here, images there are newer or missing, or it is lost',
      false,
    )
    .addOption(new Option('--far <what>').choices(FAR_TASKS).hideHelp())
    .option('--json', 'print the result as JSON', false)
    .action(async (to: string | undefined, options: Options) => {
      const app = openApp();
      await expectOwnState(app.paths);
      if (options.far !== undefined) return far(app, options.far);
      await expectSetUp(app.paths);
      const settings = await loadSettings(app.paths, app.environment);
      const terminal = new Terminal(options.json ? process.stderr : process.stdout);
      const stage = { app, settings, options, terminal, story: new Story(terminal, app.clock) };
      await withLock(lockFile(app, 'move-to'), WHO, app.clock, () => {
        if (options.finish) return finish(stage, to);
        return options.cancel ? cancel(stage, to) : move(stage, to);
      });
    }),
);

interface Stage {
  readonly app: App;
  readonly settings: Settings;
  readonly options: Options;
  readonly terminal: Terminal;
  readonly story: Story;
}

/** The whole story, in order. A run that is cut off anywhere in it is ended by the next one. */
async function move(stage: Stage, to: string | undefined): Promise<void> {
  const { app, options, terminal, story } = stage;
  const { dir: folder, wait, force, yes, json } = options;
  const { goal, since, isAhead } = await whereTo(app, { to, folder, set: parseSet(options.set) });
  if (since !== undefined) terminal.line(`The move to ${goal.to}, begun at ${since.toISOString()}, goes on.`);
  const told = { teller: story, tell: (line: string) => terminal.line(terminal.retold(line, '    ')) };

  await withTravel(stage, goal, async (travel) => {
    if (isAhead('drain')) {
      await story.step('This one', () => expectMovable(travel, force));
      const place = await story.step('Place', () => expectPlace(travel));
      showMovePlan(terminal, travel, place);
      if (since === undefined && !(await agreesTo(terminal, yes, 'Move it?'))) return;
      await copyFirst(travel, place, told);
    }
    const handed = await handOver(travel, isAhead, { wait, force }, told);
    showHandOver(terminal, handed);
    if (json) process.stdout.write(handOverAsJson(handed, story.records));
  });
}

async function finish(stage: Stage, to: string | undefined): Promise<void> {
  const { app, settings, options, terminal, story } = stage;
  await expectNotHalfDone(app);
  const gone = await expectGone(app);
  expectMeant(to, gone.other);
  // What is stopped already can't be missed by anybody.
  if (!options.force && (await anythingRuns(movingParts(app, settings))))
    await story.step('Name', () => expectHandedOver(settings, gone));
  if (!(await agreesTo(terminal, options.yes, 'Stop this registry for good? Its images stay.'))) return;
  await story.step('Stopped', (report) => stopHere(app, settings, report));
  if (story.changed)
    await openEvents(app).record('move-to', 'done', `stopped here; ${gone.other} has taken over`);
  showLeftBehind(terminal, settings, gone.other);
  tellSteps(stage);
}

async function cancel(stage: Stage, asked: string | undefined): Promise<void> {
  const { app, settings, options, terminal, story } = stage;
  const back = await whatToTakeBack(app);
  expectMeant(asked, back.kind === 'move' ? back.goal.to : back.taken.other);
  if (back.kind === 'taken back') {
    showTakenBack(terminal, back.taken);
    return tellSteps(stage);
  }
  const { to } = back.goal;
  if (!(await agreesTo(terminal, options.yes, `Go back to this registry, and stop the one on ${to}?`)))
    return;
  // One that was not started there is closed by its mark, and need not be asked.
  if (back.started)
    await withTravel(stage, back.goal, (travel) =>
      story.step('There', (report) => closeThere(travel, options.force, report)),
    ).catch((error) => terminal.paragraph(despiteLoss(error, to, options.force)));
  const parts = movingParts(app, settings);
  await story.step('Here', () => openHere(parts, to));
  if (!(await anythingRuns(parts))) terminal.line('Nothing runs here: npm run init-tls starts it.');
  await openEvents(app).record('move-to', 'done', `the move to ${to} was taken back`);
  tellSteps(stage);
}

/** For `move-to` on the machine that a registry comes from. */
async function far(app: App, task: FarTask): Promise<void> {
  const report = (line: string) => process.stderr.write(`${line}\n`);
  const result = await doFarTask(app, task, () => text(process.stdin), report);
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

async function withTravel(
  { app, settings, terminal, story }: Stage,
  goal: Goal,
  work: (travel: Travel) => Promise<void>,
): Promise<void> {
  const asked = terminal.interactive ? terminal : undefined;
  const travel = await story.step('Connection', () => openTravel(app, settings, goal, asked));
  try {
    await work(travel);
  } finally {
    await discardState(app.paths);
    await travel.far.host.close();
  }
}

function tellSteps({ options, story }: Stage): void {
  if (options.json) process.stdout.write(`${JSON.stringify({ steps: story.records }, null, 2)}\n`);
}
