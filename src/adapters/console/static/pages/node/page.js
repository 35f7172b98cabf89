import { h } from '../../vendor/preact.js';
import { Page } from '../../parts/basics.js';

export default function Stub() {
  return h(Page, { title: 'node' });
}
