// The progress of an import without its file.

import { h } from '../../vendor/preact.js';
import { Badge, Empty, Loading, ProblemBox, Time } from '../../parts/basics.js';
import { number } from '../../parts/format.js';
import { useInterval, useLoad } from '../../parts/load.js';
import { importOf } from '../../parts/importing.js';
import { explain, refusalsOf } from './job.js';
import { RefusedRows } from './result.js';

const EVERY_MS = 2_000;
const REFUSALS_SHOWN = 1_000;

/** @param {{ importId: string }} props */
export function Known({ importId }) {
  const loaded = useLoad(async (signal) => {
    const found = await importOf(importId, signal);
    if (found === null) return { found, refusals: null };
    /** @type {import("./job.js").Refusals} */
    const refusals = { total: found.refused, byCode: new Map(), first: [] };
    for await (const refusal of refusalsOf(importId, signal)) {
      refusals.byCode.set(refusal.code, (refusals.byCode.get(refusal.code) ?? 0) + 1);
      if (refusals.first.length < REFUSALS_SHOWN) {
        refusals.first.push({ row: refusal.row, line: 0, code: refusal.code, detail: explain(refusal), cells: [] });
      }
    }
    return { found, refusals };
  }, [importId]);
  const { data, error, reload } = loaded;
  useInterval(() => { if (data?.found && !data.found.finished) reload(); }, EVERY_MS);
  if (error) return h(ProblemBox, { error, retry: reload });
  if (data === null) return h(Loading, null);
  if (data.found === null) return h(Empty, { title: 'Import not found' }, 'Choose its file to start it.');
  const { found, refusals } = data;
  return h('section', { class: 'panel' },
    h('h2', null, 'Import ', h('code', null, importId)),
    h('p', null, found.finished ? h(Badge, { kind: 'ok', icon: 'ok' }, 'Finished') : h(Badge, { kind: 'low', icon: 'low' }, 'Not finished'),
      ` ${number(found.applied)} rows applied, ${number(found.refused)} refused by the node. Last change: `,
      h(Time, { at: found.updatedAt }), '.'),
    !found.finished && h('p', null, `The node has the rows up to ${number(found.rowsDone)}. Choose the same file to continue.`),
    refusals && refusals.total > 0 && h(RefusedRows, { refusals }));
}
