import { Command } from 'commander';
import { type App, lockFile, openApp, openJournal } from '../src/app/app.ts';
import { expectImagesInPlace, withStorage } from '../src/app/storage.ts';
import { type Course, carryOut } from '../src/app/upgrade/course.ts';
import { getImages, noteWayBack } from '../src/app/upgrade/prepare.ts';
import { resume } from '../src/app/upgrade/resume.ts';
import { openBench } from '../src/app/upgrade/upgrade.ts';
import { agrees, askConsent } from '../src/cli/consent.ts';
import { main } from '../src/cli/main.ts';
import { Story } from '../src/cli/story.ts';
import { Terminal } from '../src/cli/terminal.ts';
import { planAsJson, planInWords, planSummary } from '../src/cli/upgrade-words.ts';
import { connect } from '../src/engine/connect.ts';
import { type Entry, expectNothingInterrupted } from '../src/journal.ts';
import type { Settings } from '../src/settings/settings.ts';
import { expectOwnState } from '../src/stack/folders.ts';
import { ensureProjectOurs } from '../src/stack/project.ts';
import { expectSetUp } from '../src/stack/set-up.ts';
import { withLock } from '../src/system/lock.ts';
import { chosenBy, withChosen } from '../src/upgrade/choose.ts';
import { nothingToUndo } from '../src/upgrade/failures.ts';
import { expectWell } from '../src/upgrade/health.ts';
import { expectAgreed } from '../src/upgrade/judge.ts';
import { isNothing, planUpgrade, type Row } from '../src/upgrade/plan.ts';
import { leapOfPlan } from '../src/upgrade/registry-version.ts';
import { lastLeft } from '../src/upgrade/snapshot.ts';
import { gatherFindings, surveyRunning } from '../src/upgrade/survey.ts';
import { lookForWanted, wishesBack } from '../src/upgrade/wanted.ts';

interface Options {
  readonly dryRun: boolean;
  readonly yes: boolean;
  readonly force: boolean;
  readonly undo: boolean;
  readonly json: boolean;
  readonly registry?: string;
  readonly nginx?: string;
  readonly certbot?: string;
}

await main(
  new Command('npm run upgrade --')
    .description('Replaces what is older than it should be, part by part; goes back if anything fails.')
    // `--check` is what it was called, and is what many write.
    .option('--check, --dry-run', 'only show what would be replaced, by what and why', false)
    .option('-y, --yes', 'don’t ask', false)
    .option('--registry <image>', 'set REGISTRY_IMAGE in .env as part of it')
    .option('--nginx <image>', 'set NGINX_IMAGE')
    .option('--certbot <image>', 'set CERTBOT_IMAGE')
    .option('--undo', 'go back to what ran before the last upgrade', false)
    .option('--force', 'even if the registry is not well, or its version is known to lose images', false)
    .option('--json', 'print the plan and the result as JSON', false)
    .action(async (options: Options) => {
      const app = openApp();
      await expectOwnState(app.paths);
      await expectSetUp(app.paths);
      await withLock(lockFile(app, 'init-tls'), 'npm run upgrade', app.clock, () =>
        withStorage(app, 'npm run upgrade', () => upgrade(app, options)),
      );
    }),
);

interface Stage extends Course {
  readonly options: Options;
}

async function upgrade(app: App, options: Options): Promise<void> {
  const terminal = new Terminal(options.json ? process.stderr : process.stdout);
  const story = new Story(terminal, app.clock);
  const engine = connect(app.environment.DOCKER_HOST);
  const settings = await withChosen(app, chosenBy(options));
  const bench = openBench(app, settings, engine, askConsent(terminal, options.yes));
  const stage: Stage = { ...bench, story, journal: openJournal(app, 'upgrade'), options, terminal };
  await ensureProjectOurs(engine, app.paths, settings.project);
  await expectImagesInPlace(app, settings); // its parts would be started on the folder that the settings name
  await expectNothingInterrupted({ gc: openJournal(app, 'gc'), restore: openJournal(app, 'restore') });

  const left = await stage.journal.interrupted();
  if (left === undefined || options.dryRun) return begin(stage, settings, left);
  if (await resume(stage, left)) return begin(stage, settings);
}

async function begin(stage: Stage, settings: Settings, left?: Entry): Promise<void> {
  const { app, story, place, workshop, terminal, options } = stage;
  const running = await surveyRunning(place, settings);
  if (!options.force && !options.dryRun) await expectWell(settings, running);
  const previous = options.undo ? await lastLeft(app.paths) : undefined;
  if (options.undo && previous === undefined) throw nothingToUndo();
  const look = () => (previous === undefined ? lookForWanted(settings, workshop) : wishesBack(previous));
  const wishes = await look();
  const plan = planUpgrade(await gatherFindings(place, settings, wishes.images));
  const leap = leapOfPlan(plan);
  terminal.table(planInWords(plan, leap, wishes.unknown));
  if (left !== undefined)
    terminal.line('An upgrade was interrupted: the next run without --dry-run ends it first.');
  if (options.dryRun || isNothing(plan)) return tell(stage, plan, false);
  expectAgreed(leap, { agreed: true, force: options.force });
  if (!(await agrees(terminal, options.yes, 'Replace these?'))) return tell(stage, plan, false);

  const chosen = chosenBy(options);
  const way = await story.step('Way back', () => noteWayBack(stage, settings, { wishes, chosen, previous }));
  const judged = { agreed: leap.kind !== 'small' || options.yes, force: options.force };
  if (previous === undefined)
    await story.step('Images', (report) => getImages(stage, settings, { wishes, ...way, judged }, report));
  await carryOut(stage, way.facts, options.force ? 'may be broken' : 'serves', planSummary(plan));
  tell(stage, plan, true);
}

function tell({ options, story }: Stage, plan: readonly Row[], done: boolean): void {
  if (options.json) process.stdout.write(planAsJson(plan, done, story.records));
}
