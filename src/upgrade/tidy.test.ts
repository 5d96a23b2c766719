import { expect, test } from 'vitest';
import { FakeEngine } from '../../test/support/fake-engine.ts';
import { CHECKOUT_LABEL } from '../images/catalog.ts';
import { removeOldPrograms } from './tidy.ts';

const OURS = { [CHECKOUT_LABEL]: '/srv/moorage' };

test('of programs only those go that this checkout built and nobody has or may want back', async () => {
  const engine = new FakeEngine();
  engine.present('moorage/gate:old', OURS);
  engine.present('moorage/renewer:old', OURS);
  engine.present('moorage/gate:in-use', OURS);
  engine.present('moorage/gate:current', OURS);
  engine.present('moorage/gate:previous', OURS);
  engine.present('moorage/gate:of-others', { [CHECKOUT_LABEL]: '/srv/other' });
  engine.present('moorage/gate:of-nobody');
  engine.present('moorage/registry:2.8', OURS);
  engine.inUse.add('id of moorage/gate:in-use');
  const previous = {
    name: '20261121-180000Z',
    images: { gate: { reference: 'moorage/gate:previous', id: 'sha256:1' } },
    others: [],
    left: true,
  };
  const place = { root: '/srv/moorage' };
  expect(await removeOldPrograms(engine, place, ['moorage/gate:current'], previous)).toEqual([
    'moorage/gate:old',
    'moorage/renewer:old',
  ]);
  expect(await engine.images.inspect('moorage/gate:old')).toBeUndefined();
  expect(await engine.images.inspect('moorage/gate:of-others')).toBeDefined();
});
