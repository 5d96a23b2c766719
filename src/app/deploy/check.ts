import type { Teller } from '../../cli/story.ts';
import { counted } from '../../counted.ts';
import { archiveDiffers } from '../../deploy/archive.ts';
import { compareProject, type Differences, isNone } from '../../deploy/copy.ts';
import { filesToWrite } from '../../deploy/far-files.ts';
import type { Prospect } from '../../deploy/prospect.ts';
import { stageProject } from '../../deploy/stage.ts';
import { isSecret } from '../../settings/load.ts';
import { changed, type Done, unchanged } from '../../step.ts';
import type { App } from '../app.ts';

/** What a deployment would do to one machine. */
export interface Foreseen {
  /** Phrases such as "install rsync". */
  readonly programs: readonly string[];
  /** `undefined`: all of it, as there is none yet. */
  readonly files: Differences | undefined;
  /** Names. */
  readonly settings: readonly string[];
  readonly changes: boolean;
}

const FIRST_FEW = 5;

/** Tells what `deployTo` would change, and changes nothing there. */
export async function foresee(app: App, prospect: Prospect, teller: Teller): Promise<Foreseen> {
  const { host, order, facts, settings, extras, restart } = prospect;
  const programs = [...prospect.programs, ...(prospect.docker === undefined ? [] : [prospect.docker])].map(
    ({ phrase }) => phrase,
  );
  await teller.step('Programs', async () =>
    programs.length === 0 ? unchanged('nothing is missing') : changed(`would ${programs.join(',\n')}`),
  );
  const files = await teller.step('Project', async (report): Promise<Done<Differences | undefined>> => {
    if (facts.folder.content.kind !== 'moorage' || !facts.rsync)
      return changed(`would be copied to ${order.folder}`, undefined);
    const { value: staged } = await stageProject(app, facts.architecture ?? 'x64', report);
    const differences = await compareProject(host, staged, order.folder);
    return isNone(differences)
      ? unchanged(`${order.folder} is up to date`, differences)
      : changed(fewOf(differences), differences);
  });
  const named = await filesToWrite(host, order.folder, settings);
  await teller.step('.env', async () => {
    const set = settings.changed.map((name) => shown(name, settings.given[name])).join(', ');
    const copied = named.map(({ path }) => path).join(', ');
    const would = [set && `would be set: ${set}`, copied && `would be copied: ${copied}`].filter(Boolean);
    return would.length === 0 ? unchanged('as it is') : changed(would.join('; '));
  });
  await teller.stepFor(order.extras.has('proxy') ? extras : undefined, 'Proxy', async (those) =>
    those.has('proxy')
      ? changed(
          `Docker would go out by the proxies of the settings${restart === undefined ? '' : ', restarted'}`,
        )
      : unchanged('as it is'),
  );
  const archive = await teller.stepFor(order.images, 'Archive', async (file): Promise<Done<boolean>> => {
    const differs = files === undefined || (await archiveDiffers(host, file, order.folder));
    return differs ? changed('would be copied', true) : unchanged('there already', false);
  });
  await teller.stepFor(order.extras.has('cacerts') ? extras : undefined, 'Trust', async (those) =>
    those.has('cacerts') ? changed('Docker there would trust the CA') : unchanged('as it is'),
  );
  const anew = files === undefined || !isNone(files) || archive === true;
  const changes =
    programs.length > 0 || anew || settings.changed.length + named.length > 0 || extras.size > 0;
  await teller.step('Registry', async () =>
    files === undefined
      ? changed('init-tls would set it up')
      : changes
        ? changed('init-tls would replace the parts that these changes concern')
        : unchanged('would stay as it is; init-tls only looks whether all of it runs'),
  );
  return { programs, files, settings: settings.changed, changes };
}

function fewOf({ written, removed }: Differences): string {
  const all = [...written, ...removed.map((name) => `${name} (removed)`)];
  const more = all.length - FIRST_FEW;
  return `${counted(all.length, 'file')} would change: ${all.slice(0, FIRST_FEW).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

function shown(name: string, value: string | undefined): string {
  if (value === undefined || value === '') return `${name} unset`;
  return isSecret(name, value) ? `${name} (not shown)` : `${name}=${value}`;
}
