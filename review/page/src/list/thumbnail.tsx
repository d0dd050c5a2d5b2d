// The picture of a row: made when the row is visible for a moment, a quiet place for it until then or where there is none.

import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { RecordingRow } from '../../../contract.ts';
import { Icon } from '../parts/icons.tsx';
import { readyThumbnail, thumbnailOf } from './thumbnails.ts';

export function Thumbnail({ row }: { readonly row: RecordingRow }): JSX.Element {
  const [address, setAddress] = useState<string | null>(readyThumbnail(row.id));
  useEffect(() => {
    const ready = readyThumbnail(row.id);
    setAddress(ready);
    if (ready !== null) return undefined;
    const request = new AbortController();
    void thumbnailOf(row, request.signal).then((made) => {
      if (!request.signal.aborted) setAddress(made);
    });
    return () => request.abort();
  }, [row.id]);
  return (
    <span class="thumbnail">
      {address === null ? <Icon name="picture" /> : <img src={address} alt="" decoding="async" />}
    </span>
  );
}
