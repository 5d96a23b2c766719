import { join } from 'node:path';
import type { Teller } from '../../cli/story.ts';
import { copyArchive } from '../../deploy/archive.ts';
import { copyProject } from '../../deploy/copy.ts';
import { extrasMade, extrasToMake, proposeRestart, proxyThere, trustThere } from '../../deploy/extras.ts';
import { expectNamedFiles, readFar, writeSettings } from '../../deploy/far-files.ts';
import { type Installed, installThere } from '../../deploy/install-there.ts';
import { judgeMachine } from '../../deploy/judge-machine.ts';
import { gatherMachine } from '../../deploy/machine.ts';
import type { Order } from '../../deploy/order.ts';
import { installPrograms, planPrograms, proposeDocker } from '../../deploy/programs.ts';
import type { Prospect } from '../../deploy/prospect.ts';
import { planSettings } from '../../deploy/settings.ts';
import { stageProject } from '../../deploy/stage.ts';
import { expectFit, machineInWords } from '../../deploy/unfit.ts';
import { Failure } from '../../errors.ts';
import { expectArchive } from '../../images/read-archive.ts';
import { hostInWords } from '../../remote/host.ts';
import { proxyVariables } from '../../settings/forward-proxy.ts';
import { unchanged } from '../../step.ts';
import type { App } from '../app.ts';
import { type Asked, openHeld, openSsh } from '../open-host.ts';
import { proveFromHere } from './proof.ts';

export interface Deployed {
  readonly installed: Installed;
  /** What is not as it should be though the registry runs: its first user is to be told nevertheless. */
  readonly failure: Failure | undefined;
}

/**
 * Looks at a machine and at its settings, and changes nothing. Whoever calls it closes `host`; until then nobody else
 * deploys there, unless it is looked at only.
 * @throws WrongInput about settings; Failure `machine-unfit`, and those of `openHeld` and `gatherMachine`
 */
export async function survey(
  app: App,
  order: Order,
  teller: Teller,
  { asked, dryRun }: { readonly asked: Asked | undefined; readonly dryRun: boolean },
): Promise<Prospect> {
  const { paths, clock } = app;
  const { target, folder, given, images } = order;
  const host = await teller.step('Connection', async () => {
    const opened = dryRun
      ? await openSsh(app, target.destination, asked)
      : await openHeld(app, target.destination, asked, { folder, command: 'npm run deploy' });
    return unchanged(hostInWords(opened), opened);
  });
  try {
    const settings = await teller.step('Settings', async () => {
      const far = await readFar(host, join(folder, '.env'));
      const place = { name: target.name, address: host.address, folder };
      const plan = await planSettings(paths, place, far, given);
      await expectNamedFiles(host, place, plan);
      return unchanged(`${Object.keys(given).length} given, all valid`, plan);
    });
    const facts = await teller.step('Machine', async () => {
      const { httpPort: http, httpsPort: https } = settings.settings;
      const found = await gatherMachine(host, clock, { folder, ports: { http, https } });
      const archive = images === undefined ? undefined : (await expectArchive(images)).list.architecture;
      const warnings = expectFit(target.name, judgeMachine(found, { ...settings.settings, archive }));
      return unchanged([machineInWords(found), ...warnings].join('\n'), found);
    });
    const programs = planPrograms(facts);
    const extras = extrasToMake(order.extras, await extrasMade(host, folder, order.trust), settings);
    const restart = proposeRestart(extras, facts);
    return { order, host, facts, settings, programs, docker: proposeDocker(facts), extras, restart };
  } catch (error) {
    await host.close();
    throw error;
  }
}

/**
 * From a machine that was looked at to a registry that works from here. Each step changes only what differs, so a run
 * that was cut is finished by the next.
 * @param tell gets what init-tls there tells, line by line
 */
export async function deployTo(
  app: App,
  prospect: Prospect,
  teller: Teller,
  tell: (line: string) => void,
): Promise<Deployed> {
  const { paths, run, clock } = app;
  const { order, host, facts, settings, programs } = prospect;
  const { folder, extras, images } = order;
  const cache = join(paths.state, 'deploy', 'programs');
  const proxy = proxyVariables(settings.settings.proxy, {});
  const staged = await teller.step('Packages', (report) =>
    stageProject(app, facts.architecture ?? 'x64', report),
  );
  await teller.step('Programs', (report) =>
    installPrograms({ host, run, clock, cache, proxy }, facts, programs, report),
  );
  const { written, removed } = await teller.step('Project', (report) =>
    copyProject(host, staged, folder, report),
  );
  await teller.step('.env', () => writeSettings(host, folder, settings));
  await teller.stepFor(extras.has('proxy') ? host : undefined, 'Proxy', (_, report) =>
    proxyThere(host, folder, order.yes || prospect.restart !== undefined, report),
  );
  await teller.stepFor(images, 'Archive', (archive, report) => copyArchive(host, archive, folder, report));
  const installed = await teller.step('Registry', (report) =>
    installThere(host, folder, clock, { report, tell }),
  );
  const anew = installed.changed || written.length + removed.length + settings.changed.length > 0;
  try {
    const trusting = extras.has('cacerts') ? host : undefined;
    await teller.stepFor(trusting, 'Trust', (_, report) => trustThere(host, folder, order.trust, report));
    await teller.step('Doctor', (report) => proveFromHere(app, prospect, { quick: !anew, report }));
  } catch (error) {
    if (error instanceof Failure) return { installed, failure: error };
    throw error;
  }
  return { installed, failure: undefined };
}
