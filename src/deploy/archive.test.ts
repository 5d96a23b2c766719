import { expect, test } from 'vitest';
import { RecordedHost } from '../../test/support/recorded-host.ts';
import { archiveDiffers } from './archive.ts';

test('an archive is yet to be copied into a checkout in which init-tls never ran', async () => {
  // What rsync says to --dry-run where there is no such folder.
  const far = new RecordedHost((line) =>
    line.startsWith('rsync')
      ? { exitCode: 3, stderr: 'change_dir#3 "/srv/moorage/var" failed' }
      : { exitCode: 1 },
  );
  expect(await archiveDiffers(far, '/home/ada/images.tar', '/srv/moorage')).toBe(true);
});
