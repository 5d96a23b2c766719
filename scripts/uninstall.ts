import { Command } from 'commander';
import { type App, openApp } from '../src/app/app.ts';
import { planRemoval, uninstall } from '../src/app/uninstall.ts';
import { agrees } from '../src/cli/consent.ts';
import { main } from '../src/cli/main.ts';
import { Story } from '../src/cli/story.ts';
import { Terminal } from '../src/cli/terminal.ts';
import { expectName } from '../src/cli/typed-name.ts';
import { showOutcome, showPlan, uninstallAsJson } from '../src/cli/uninstall-words.ts';

interface Options {
  readonly purge?: string | true;
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
}

await main(
  new Command('npm run uninstall --')
    .description(
      'Takes away what Moorage made on this machine, and nothing else. Images, users, certificates and settings stay, unless --purge says otherwise.',
    )
    .option('--purge [domain]', 'also images, users, certificates and settings of the registry of this name')
    .option('-y, --yes', 'don’t ask', false)
    .option('--dry-run', 'show what would go, and change nothing', false)
    .option('--json', 'print the plan and the result as JSON', false)
    .action((options: Options) => run(openApp(), options)),
);

async function run(app: App, options: Options): Promise<void> {
  const { json, dryRun } = options;
  const purge = options.purge !== undefined;
  const terminal = new Terminal(json ? process.stderr : process.stdout);
  const story = new Story(terminal, app.clock);
  const { found, plan } = await planRemoval(app, purge);
  if (typeof options.purge === 'string' && plan.actions.length > 0)
    await expectName(terminal, found.domain, options.purge);
  showPlan(terminal, plan);

  const wanted = plan.actions.length > 0 && !dryRun && (await isWanted(terminal, found.domain, options));
  const outcome = wanted
    ? await uninstall(
        app,
        purge,
        (title, work) => story.step(title, work),
        (line) => terminal.line(line),
      )
    : undefined;
  if (outcome !== undefined) showOutcome(terminal, plan, outcome);
  if (json) process.stdout.write(uninstallAsJson({ found, plan, purge, outcome, steps: story.records }));
  const { remains } = outcome ?? plan;
  if (remains.length > 0 && !dryRun) process.exitCode = 1;
}

/** What can't be undone is agreed to by the name of what it is done to. */
async function isWanted(terminal: Terminal, domain: string, { purge, yes }: Options): Promise<boolean> {
  if (purge !== true) return agrees(terminal, yes, 'Remove it?');
  await expectName(terminal, domain, purge);
  return true;
}
