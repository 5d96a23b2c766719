import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { CHECKER } from '../../access/prover.ts';
import { counted } from '../../counted.ts';
import { Failure } from '../../errors.ts';
import { readInventory } from '../../inventory/inventory.ts';
import { sizeInWords } from '../../low-water.ts';
import { askFar } from '../../move/far.ts';
import { isRight } from '../../move/hash-blobs.ts';
import type { Disks } from '../../move/images.ts';
import { chooseSamples, pullSamples } from '../../move/pull.ts';
import type { StagedState } from '../../move/state.ts';
import {
  countInWords,
  differences,
  inShort,
  missing,
  type Survey,
  survey,
  surveyOf,
} from '../../move/survey.ts';
import { trustFor } from '../../registry/trust.ts';
import { Secret } from '../../secret.ts';
import { unchanged } from '../../step.ts';
import { ownCertificate } from '../trust.ts';
import { reach, type Told, type Travel } from './travel.ts';

/**
 * That the started one has all that is here, and gives it to clients.
 * @param despite though something that it had is not there any more
 */
export async function compare(
  travel: Travel,
  settingsThere: StagedState['settings'],
  { teller }: Told,
  despite: boolean,
): Promise<void> {
  const { app, far, parts } = travel;
  await reach(travel, 'compare');
  const inventory = await readInventory(await parts.openTree());
  const here = surveyOf(inventory);
  const there = await teller.step('Compared', async (report) => {
    const { repositories } = await askFar(far, 'survey', survey, { report });
    const deleted = missing(here, repositories); // what was pushed there since is no difference
    if (deleted.length > 0 && !despite) throw deletedThere(travel, deleted);
    const but = deleted.length === 0 ? '' : `, but for ${inShort(deleted)}`;
    return unchanged(`${countInWords(here)}, the same there${but}`, repositories);
  });
  await teller.step('Pulled', async (report) => {
    const password = new Secret(randomBytes(32).toString('base64url'));
    await askFar(far, 'admit', z.object({}), { input: password.reveal(), report });
    try {
      const certificate = await ownCertificate(app);
      const { domain: name, issuer, httpPort, httpsPort } = settingsThere;
      const trust =
        certificate === undefined
          ? ({ kind: 'plain' } as const)
          : await trustFor(app.paths, settingsThere, certificate);
      const endpoint = {
        name,
        host: far.host.address,
        port: issuer === 'none' ? httpPort : httpsPort,
        trust,
      };
      const login = { user: CHECKER, password };
      return await pullSamples(endpoint, login, chooseSamples(inventory, there), app.clock, report);
    } finally {
      await askFar(far, 'dismiss', z.object({}), { report });
    }
  });
}

/**
 * That what was copied is what is here, before anybody uses it.
 * @param there what the other machine has
 * @returns in words
 * @throws Failure `copy-damaged`, `images-lost`
 */
export async function expectSame(
  travel: Travel,
  { repositories, blobs }: Survey,
  disks: Disks | undefined,
): Promise<string> {
  const here = surveyOf(await readInventory(await travel.parts.openTree()));
  const different = differences(here, repositories);
  if (different.length > 0) throw lost(travel, different);
  const words = countInWords(here);
  if (disks === undefined || blobs === undefined) return words;
  const before = [];
  for (const hex of blobs.wrong) {
    if (await isRight(disks.here, hex))
      throw new Failure(
        'copy-damaged',
        `The blob ${hex} is damaged on ${travel.far.host.name}, and whole here.`,
        'Its disk or memory may be failing. Run this again to copy and compare anew.',
      );
    before.push(hex);
  }
  const damage =
    before.length === 0
      ? ''
      : `; ${before.length} WERE DAMAGED HERE ALREADY: ${before.slice(0, 3).join(', ')}`;
  return `${words}; ${counted(blobs.count, 'blob')}, ${sizeInWords(blobs.bytes)}, each hashed there${damage}`;
}

function lost({ far }: Travel, different: readonly string[]): Failure {
  return new Failure(
    'images-lost',
    `Not on ${far.host.name} as here: ${counted(different.length, 'image')}: ${inShort(different)}`,
    'Nothing is lost here. Run this again; to have this registry back: npm run move-to -- --cancel',
  );
}

/** Whoever deletes there leaves nothing by which it could be told from a loss. */
function deletedThere({ far }: Travel, deleted: readonly string[]): Failure {
  return new Failure(
    'images-missing',
    `${deleted.length} images are not on ${far.host.name} any more, which had all that are here when it was started: ${inShort(deleted)}`,
    'Were they deleted there since, by somebody or by its rules? Then npm run move-to -- --force. If not: npm run move-to -- --cancel',
  );
}
