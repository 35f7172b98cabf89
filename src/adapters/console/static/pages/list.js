// The pages of the console. Each page is a folder whose `page.js` has a component as its default export, and an entry in this list.

/**
 * @typedef {object} PageEntry
 * @property {string} id Its address, `/console/<id>`.
 * @property {string} title
 * @property {string} group Its heading in the navigation. A page without one is not in the navigation.
 * @property {string[]} needs One of these permissions is required.
 * @property {boolean} [everywhere] The permission is required without a limit to stores.
 * @property {string} [key] The key that opens it, after `g`.
 * @property {boolean} [loggedOut] Works without a session.
 * @property {() => Promise<{ default: () => any }>} load
 */

/** Those of everybody who reads stock, but for customers: they read what is their own, and no alerts. */
export const READS_ALERTS = ['events:read', 'stock:adjust', 'stock:receive', 'stock:sell'];

/** @type {PageEntry[]} */
export const PAGES = [
  { id: '', title: 'Start', group: 'Stock', needs: [], key: 'h', load: () => import('./home/page.js') },
  { id: 'stock', title: 'Stock', group: 'Stock', needs: ['stock:read'], key: 's', load: () => import('./stock/page.js') },
  { id: 'sku', title: 'SKU', group: '', needs: ['stock:read'], load: () => import('./sku/page.js') },
  { id: 'alerts', title: 'Alerts', group: 'Stock', needs: READS_ALERTS, key: 'a', load: () => import('./alerts/page.js') },
  { id: 'imports', title: 'Imports', group: 'Stock', needs: ['import:run'], key: 'i', load: () => import('./imports/page.js') },
  { id: 'orders', title: 'Orders', group: 'Orders', needs: ['orders:read'], key: 'd', load: () => import('./orders/page.js') },
  { id: 'order', title: 'Order', group: '', needs: ['orders:read'], load: () => import('./order/page.js') },
  { id: 'shipments', title: 'Shipments', group: 'Orders', needs: ['orders:ship'], key: 'w', load: () => import('./shipments/page.js') },
  { id: 'events', title: 'Events', group: 'Operations', needs: ['events:read'], key: 'e', load: () => import('./events/page.js') },
  { id: 'operations', title: 'Operations', group: 'Operations', needs: ['ops:read'], everywhere: true, key: 'o',
    load: () => import('./operations/page.js') },
  { id: 'letters', title: 'Dead letters', group: 'Operations', needs: ['letters:read'], everywhere: true, key: 'l',
    load: () => import('./letters/page.js') },
  { id: 'node', title: 'Node', group: 'Operations', needs: ['ops:read'], everywhere: true, key: 'n', load: () => import('./node/page.js') },
  { id: 'people', title: 'People and tokens', group: 'Access', needs: ['identity:read'], everywhere: true, key: 'p',
    load: () => import('./people/page.js') },
  { id: 'link', title: 'Choose a password', group: '', needs: [], loggedOut: true, load: () => import('./people/link/page.js') },
  { id: 'audit', title: 'Audit trail', group: 'Access', needs: ['audit:read'], everywhere: true, key: 'u',
    load: () => import('./audit/page.js') },
];
