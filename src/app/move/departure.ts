import { glance } from '../../certificates/outlook.ts';
import { Failure } from '../../errors.ts';
import { expectNothingInterrupted } from '../../journal.ts';
import { whoServes } from '../../relocation/served.ts';
import type { Settings } from '../../settings/settings.ts';
import { ensureProjectOurs } from '../../stack/project.ts';
import { type Done, unchanged } from '../../step.ts';
import { openJournal, renewalParts } from '../app.ts';
import { exclusively, type Travel } from './travel.ts';

/**
 * That this registry is fit to be moved: what is wrong with it here would be wrong there.
 * @throws Failure `interrupted`, `served-elsewhere`, `project-taken`, `locked`, `certificate-due`
 */
export async function expectMovable({ app, engine, settings }: Travel, despite: boolean): Promise<Done> {
  await engine.version(); // says how to get one that answers
  await ensureProjectOurs(engine, app.paths, settings.project);
  await expectWhole({ app, engine, settings });
  await exclusively(app, async () => undefined); // who is at work now may still be when writes are to be closed
  const { decision } = await glance(renewalParts(app, settings, engine));
  if (decision.kind === 'issue' && !despite)
    throw new Failure(
      'certificate-due',
      `The certificate is to be renewed (${decision.reason}), and the other machine could not while the name leads here.`,
      'npm run renew, then this again; or add --force.',
    );
  return unchanged(`certificate: ${decision.reason}`);
}

/**
 * That all images are where they are about to be copied from: a move from folder to folder that was cut off has let the
 * settings name one and the registry write to the other, and one that came to its end meanwhile has left an old place.
 * @throws Failure `interrupted`, `served-elsewhere`
 */
export async function expectWhole({
  app,
  engine,
  settings: { project, registryDataDirectory: folder, storage },
}: Pick<Travel, 'app' | 'engine'> & {
  readonly settings: Pick<Settings, 'project' | 'registryDataDirectory' | 'storage'>;
}): Promise<void> {
  await expectNothingInterrupted({
    storage: openJournal(app, 'storage'),
    gc: openJournal(app, 'gc'),
    restore: openJournal(app, 'restore'),
    upgrade: openJournal(app, 'upgrade'),
  });
  if (storage.kind === 'filesystem') await whoServes(engine, { project }, { from: folder, to: folder });
}
