import { Command } from 'commander';
import { type App, openApp } from '../src/app/app.ts';
import { foresee } from '../src/app/deploy/check.ts';
import { type Deployed, deployTo, survey } from '../src/app/deploy/deploy.ts';
import { uninstallFrom } from '../src/app/deploy/uninstall.ts';
import { agrees } from '../src/cli/consent.ts';
import { agreeToPrograms } from '../src/cli/deploy-consent.ts';
import { Crew, doneOf, expectRightInput, type Outcome } from '../src/cli/deploy-crew.ts';
import { type DeployOptions, readOrders, withDeployOptions } from '../src/cli/deploy-options.ts';
import {
  deployAsJson,
  expectAllDone,
  foreseenInWords,
  lastWord,
  type Told,
  tellDeployed,
} from '../src/cli/deploy-report.ts';
import { main } from '../src/cli/main.ts';
import { Terminal } from '../src/cli/terminal.ts';
import { forgetThere } from '../src/deploy/install-there.ts';
import type { Order } from '../src/deploy/order.ts';
import type { Prospect } from '../src/deploy/prospect.ts';

await main(
  withDeployOptions(
    new Command('npm run deploy --').description(
      'Brings a registry to other machines over SSH, and up to date. Run again, it changes only what differs.',
    ),
  ).action(deploy),
);

interface Work {
  readonly app: App;
  readonly terminal: Terminal;
  readonly crew: Crew;
  readonly orders: readonly { readonly order: Order }[];
  readonly options: DeployOptions;
}

async function deploy(destination: string | undefined, options: DeployOptions): Promise<void> {
  const app = openApp();
  const terminal = new Terminal(options.json ? process.stderr : process.stdout);
  const orders = (await readOrders(app.paths, destination, options)).map((order) => ({ order }));
  const crew = new Crew(terminal, app.clock, orders);
  const work = { app, terminal, crew, orders, options };
  expectAllDone(terminal, options.uninstall ? await uninstallAll(work) : await deployAll(work), options);
}

/** All are looked at before any is changed; then is asked, once. Those that can't be reached stop nobody. */
async function deployAll(work: Work): Promise<readonly Outcome<Told>[]> {
  const { app, terminal, crew, orders, options } = work;
  // With several at once nobody could tell whose question it is.
  const asked = terminal.interactive && orders.length === 1 ? terminal : undefined;
  const { dryRun } = options;
  const looked = await crew.each(orders, ({ order }, story) => survey(app, order, story, { asked, dryRun }));
  const prospects = doneOf(looked);
  try {
    expectRightInput(looked);
    const failed = looked.filter((each) => each.kind === 'failed');
    if (dryRun) {
      const foreseen = await crew.each(prospects, async (each, story) => {
        const would = await foresee(app, each, story);
        crew.conclude(each.order, true, foreseenInWords(would));
        return would;
      });
      return tellAll(work, [...failed, ...foreseen]);
    }
    await agreeToPrograms(terminal, options.yes, prospects);
    return await carryOut(work, prospects, failed);
  } finally {
    terminal.clear(); // what is said next may go to standard error
    await Promise.all(prospects.map(({ host }) => host.close()));
  }
}

async function carryOut(work: Work, prospects: readonly Prospect[], failed: readonly Outcome<never>[]) {
  const { app, terminal, crew, orders, options } = work;
  const outcomes = await crew.each(prospects, async (prospect, story, tell) => {
    const deployed = await deployTo(app, prospect, story, tell);
    crew.conclude(prospect.order, deployed.failure === undefined, lastWord(deployed));
    return deployed;
  });
  if (!options.json) tellDeployed(terminal, outcomes, orders.length === 1);
  const all = tellAll(work, [...failed, ...outcomes]);
  await forgetShown(prospects, outcomes);
  return all;
}

/** Only now: whoever was cut off before would never have seen the password. */
async function forgetShown(prospects: readonly Prospect[], outcomes: readonly Outcome<Deployed>[]) {
  for (const each of outcomes) {
    if (each.kind === 'failed' || each.value.installed.firstUser === undefined) continue;
    const host = prospects.find(({ order }) => order === each.order)?.host;
    // Whoever is out of reach by now tells it again the next time.
    if (host !== undefined) await forgetThere(host, each.order.folder).catch(() => undefined);
  }
}

async function uninstallAll(work: Work): Promise<readonly Outcome<Told>[]> {
  const { terminal, orders, options } = work;
  const { dryRun, yes, purge } = options;
  const failed = purge !== undefined && !dryRun && (yes || terminal.interactive) ? await tryNames(work) : [];
  const fit = orders.filter(({ order }) => !failed.some((each) => each.order === order));
  const question = questionFor(fit, purge !== undefined);
  if (fit.length > 0 && !dryRun && !(await agrees(terminal, yes, question))) return failed;
  return tellAll(work, [...failed, ...(await removeFrom(work, fit))]);
}

/**
 * Each machine knows its registry's name: a wrong one is refused before anybody agrees, or any of them has lost its own.
 * @returns those that can't be asked
 */
async function tryNames(work: Work) {
  const { app, terminal, orders, options } = work;
  const crew = new Crew(terminal, app.clock, orders);
  const outcomes = await removeFrom({ ...work, crew, options: { ...options, dryRun: true } }, orders);
  expectRightInput(outcomes);
  return outcomes.filter((each) => each.kind === 'failed');
}

function removeFrom({ app, terminal, crew, options }: Work, orders: Work['orders']) {
  const asked = terminal.interactive && orders.length === 1 ? terminal : undefined;
  const { dryRun } = options;
  const purge = typeof options.purge === 'string' ? options.purge : undefined;
  return crew.each(orders, async ({ order }, story, tell) => {
    const said = await uninstallFrom(app, { order, purge, dryRun, asked }, story, tell);
    crew.conclude(order, true, said);
    return undefined;
  });
}

function questionFor(orders: Work['orders'], purges: boolean): string {
  const names = new Intl.ListFormat('en-GB').format(orders.map(({ order }) => order.target.name));
  const rest = purges
    ? 'and images, users and certificates with it'
    : 'whose images, users and certificates stay';
  return `Take the registry off ${names}, ${rest}?`;
}

function tellAll({ crew, options }: Work, outcomes: readonly Outcome<Told>[]): readonly Outcome<Told>[] {
  if (options.json) process.stdout.write(deployAsJson(outcomes, (order) => crew.story(order).records));
  return outcomes;
}
