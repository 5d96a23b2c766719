import { Failure, WrongInput } from '../errors.ts';
import type { Leap } from './registry-version.ts';

/**
 * What speaks against a change of distribution's version.
 * @param agreed whether the person said yes to the plan that shows it
 * @throws Failure `unsafe-version`; WrongInput where a leap was not agreed to
 */
export function expectAgreed(leap: Leap, { agreed, force }: { agreed: boolean; force: boolean }): void {
  switch (leap.kind) {
    case 'small':
      return;
    case 'large':
    case 'back':
      if (agreed) return;
      throw new WrongInput([{ input: '--yes', message: `${leap.words}: add --yes to agree to that` }]);
    case 'unsafe':
      if (force) return;
      throw new Failure(
        'unsafe-version',
        `This is refused: ${leap.words}.`,
        'Choose a newer one, or add --force if you know that no OCI image was ever pushed.',
      );
  }
}
