// What the walk asks of both servers over HTTP, in this order: [method, address, body, options].
//
// Options: `keep` takes a member of the answer for later addresses and bodies (`{{name}}`), `as` is who asks (`nobody`, or the
// admin where it is left out), `underWay` lets the boat sail for so many ms before, `rows` counts members alone, `form` sends
// the body as a form, `text` as it is, `accept` is a header, `case` tells two equal requests apart.
const V1 = '/signalk/v1/api'
const V2 = '/signalk/v2/api'
const SELF = V1 + '/vessels/self'
const OTHER = V1 + '/vessels/urn:mrn:imo:mmsi:244000000'
const ID = 'ac3a3b2d-07e8-4f25-92bc-98e7c92f7f1a'
const NOBODY_HAS = '5b3a3b2d-07e8-4f25-92bc-98e7c92f7f1b'
const get = (...addresses) => addresses.map((address) => ['GET', address])

const tree = [
  ...get('/signalk', '/signalk/', V1, V1 + '/', V1 + '/self', V1 + '/version', V1 + '/vessels', V1 + '/vessels/', V1 + '/sources'),
  ...get(V1 + '/shore', V1 + '/atons', V1 + '/aircraft', V1 + '/sar', V1 + '/nothing', '/signalk/v1', '/signalk/v3/api'),
  ...get(SELF, SELF + '/', SELF + '/name', SELF + '/uuid', SELF + '/mmsi', SELF + '/url', SELF + '/communication', SELF + '/design'),
  ...get(SELF + '/navigation', SELF + '/environment', SELF + '/propulsion', SELF + '/electrical', SELF + '/tanks', SELF + '/steering'),
  ...get(SELF + '/environment/wind', SELF + '/environment/depth', SELF + '/environment/depth/belowTransducer'),
  ...get(SELF + '/navigation/position', SELF + '/navigation/position/value', SELF + '/navigation/position/value/latitude'),
  ...get(SELF + '/navigation/position/latitude', SELF + '/navigation/position/timestamp', SELF + '/navigation/position/$source'),
  ...get(SELF + '/navigation/position/meta', SELF + '/navigation/position/values', SELF + '/navigation/position/nothing'),
  ...get(SELF + '/navigation/speedOverGround', SELF + '/navigation/speedOverGround/', SELF + '/navigation/speedOverGround/meta/units'),
  ...get(SELF + '/navigation/speedOverGround/meta/nothing', SELF + '/navigation/speedThroughWater', SELF + '/navigation/nothing'),
  ...get(SELF + '/navigation.speedOverGround', SELF + '/navigation/speedThroughWater/values', SELF + '/navigation/headingMagnetic'),
  ...get(SELF + '/navigation/two', SELF + '/navigation/two/values', SELF + '/navigation/two/values/trial.one', SELF + '/navigation/two/value'),
  ...get(SELF + '/trial', SELF + '/trial/number', SELF + '/trial/text', SELF + '/trial/truth', SELF + '/trial/none', SELF + '/trial/list'),
  ...get(SELF + '/trial/object', SELF + '/trial/object/value/inner', SELF + '/trial/empty', SELF + '/trial/text/value', SELF + '/trial/none/value'),
  ...get(SELF + '/trial/zoned', SELF + '/trial/zoned/meta', SELF + '/trial/zoned/meta/zones', SELF + '/notifications'),
  ...get(SELF + '/notifications/trial', SELF + '/notifications/trial/zoned', SELF + '/notifications/trial/told'),
  ...get(OTHER, OTHER + '/name', OTHER + '/mmsi', OTHER + '/navigation', OTHER + '/navigation/position', OTHER + '/nothing'),
  ...get(V1 + '/vessels/urn:mrn:imo:mmsi:999999999', V1 + '/vessels/*/navigation/position', V1 + '/vessels/*/name'),
  ...get('/signalk/v1/snapshot', '/signalk/v1/snapshot/vessels/self?time=2026-01-01T00:00:00Z', '/signalk/v1/stream', '/signalk/v1/playback'),
  ['HEAD', SELF + '/navigation/position'], ['OPTIONS', SELF + '/navigation/position'], ['POST', SELF + '/navigation/position', {}],
  ['PATCH', SELF + '/navigation/position', {}],
]

const puts = [
  ['PUT', SELF + '/navigation/speedOverGround', { value: 1 }],
  ['PUT', SELF + '/trial/number', { value: 1 }],
  ['PUT', SELF + '/trial/number', { nothing: 1 }, { case: 'without value' }],
  ['PUT', SELF + '/trial/number', '{"value":', { text: true, case: 'no JSON' }],
  ['PUT', OTHER + '/navigation/speedOverGround', { value: 1 }],
  ['PUT', SELF + '/trial/number/meta/displayName', { value: 'A number' }],
  ['PUT', SELF + '/trial/number/meta/zones', { value: [{ lower: 100, state: 'alarm', message: 'too much' }] }],
  ['GET', SELF + '/trial/number/meta', undefined, { case: 'after PUT' }],
  ['PUT', SELF + '/trial/number/meta', { value: { units: 'm', description: 'Made by the walk' } }],
  ['GET', SELF + '/trial/number/meta', undefined, { case: 'after a whole PUT' }],
  ['DELETE', SELF + '/trial/number/meta/displayName'],
  ['DELETE', SELF + '/trial/number/meta'],
  ['GET', SELF + '/trial/number/meta', undefined, { case: 'after DELETE' }],
  ['DELETE', SELF + '/trial/number'],
  ['PUT', SELF + '/trial/number', { value: 1 }, { as: 'nobody' }],
  ['GET', '/signalk/v1/requests/' + NOBODY_HAS],
  ['GET', '/signalk/v1/requests'],
]

const security = [
  ['GET', '/skServer/loginStatus', undefined, { as: 'nobody' }],
  ['GET', '/skServer/loginStatus', undefined, { as: 'user' }],
  ['POST', '/signalk/v1/auth/login', { username: 'skipper', password: 'wrong' }, { as: 'nobody', case: 'wrong password' }],
  ['POST', '/signalk/v1/auth/login', { username: 'skipper' }, { as: 'nobody', case: 'no password' }],
  ['POST', '/signalk/v1/auth/login', { username: 'skipper', password: '{{password}}' }, { as: 'nobody' }],
  ['POST', '/signalk/v1/auth/validate', {}, { as: 'user' }],
  ['PUT', '/signalk/v1/auth/logout', undefined, { as: 'nobody' }],
  ['POST', '/signalk/v1/access/requests', { clientId: ID, description: 'Walk', permissions: 'readwrite' }, { as: 'nobody', keep: ['asked', 'href'] }],
  ['POST', '/signalk/v1/access/requests', { clientId: ID, description: 'Walk' }, { as: 'nobody', case: 'again' }],
  ['POST', '/signalk/v1/access/requests', { description: 'Walk' }, { as: 'nobody', case: 'no id' }],
  ['POST', '/signalk/v1/access/requests', { clientId: NOBODY_HAS, description: 'Form' }, { as: 'nobody', form: true, case: 'form' }],
  ['GET', '{{asked}}', undefined, { as: 'nobody', case: 'waiting' }],
  ['PUT', `/skServer/security/access/requests/${ID}/approved`, { expiration: '1y', permissions: 'readwrite' }],
  ['GET', '{{asked}}', undefined, { as: 'nobody', case: 'approved' }],
  ['GET', '/skServer/security/devices'],
  ['GET', '/skServer/security/access/requests'],
  ['DELETE', `/skServer/security/devices/${ID}`],
  ['GET', '/signalk/v1/security/oidc'],
  ['PUT', '/signalk/v1/security/oidc', { enabled: false }],
  ['POST', '/signalk/v1/security/oidc/test', { issuer: 'http://127.0.0.1:9/' }],
]

const features = [
  ...get('/signalk/v2/features', '/signalk/v2/features?enabled=enabled', V2, V2 + '/', '/signalk/v1/apps/list', '/plugins'),
  ...get('/plugins/_skiff_true-wind', '/plugins/nothing', '/plugins/_skiff_true-wind/api/nothing'),
  ['POST', '/plugins/_skiff_true-wind/config', { enabled: true, configuration: {} }],
  ['POST', '/plugins/nothing/config', { enabled: true }],
]

const ROUTE = {
  name: 'Across', description: 'A bay', distance: 2400,
  feature: {
    type: 'Feature', properties: { coordinatesMeta: [{ name: 'Pier' }, { name: 'Buoy' }, { name: 'Bay' }] },
    geometry: { type: 'LineString', coordinates: [[10, 54.1], [10.1, 54.2], [10.2, 54.1]] },
  },
}
const POINT = { name: 'Buoy', type: 'mark', feature: { type: 'Feature', properties: {}, geometry: { type: 'Point', coordinates: [10, 54.1] } } }
const REGION = {
  name: 'Shoal',
  feature: {
    type: 'Feature', properties: {},
    geometry: { type: 'Polygon', coordinates: [[[10, 54], [10.1, 54], [10.1, 54.1], [10, 54]]] },
  },
}
const NOTE = { title: 'Pier', description: 'Deep', position: { latitude: 54.1, longitude: 10 }, mimeType: 'text/plain' }
const CHART = { identifier: 'sea-chart', name: 'Sea', type: 'tilelayer', url: '/tiles/{z}/{x}/{y}', minzoom: 1, maxzoom: 9, scale: 250000, format: 'png' }

function resource(type, value) {
  const all = `${V2}/resources/${type}`
  return [
    ['GET', all],
    ['POST', all, value, { keep: [type, 'id'] }],
    ['GET', `${all}/{{${type}}}`],
    ['PUT', `${all}/${ID}`, { ...value, description: 'Changed' }],
    ['GET', `${all}/${ID}`],
    ['GET', `${all}/${ID}/name`],
    ['PUT', `${all}/no-uuid`, value],
    ['POST', all, { nothing: 1 }, { case: 'no such resource' }],
    ['GET', `${all}/${NOBODY_HAS}`],
    ['GET', all, undefined, { case: 'two' }],
    ['GET', `${all}?limit=1`, undefined, { rows: true }],
    ['GET', `${all}?bbox=[9.9,53.9,10.3,54.3]`],
    ['GET', `${all}?bbox=[1,1,2,2]`],
    ['GET', `${all}?position=[10,54.1]&distance=5000`],
    ['GET', `${all}?distance=x`],
    ['GET', `${all}?provider=nobody`],
    ['POST', all, value, { as: 'nobody', case: 'nobody' }],
    ['DELETE', `${all}/{{${type}}}`],
    ['DELETE', `${all}/${NOBODY_HAS}`],
    ['GET', `${all}/_providers`],
    ['GET', `${all}/_providers/_default`],
    ['POST', `${all}/_providers/_default/nobody`],
    ['POST', `${all}/_providers/_default/resources-provider`],
  ]
}
const resources = [
  ...get(V2 + '/resources', V2 + '/resources/nothing', V2 + '/resources/routes/no-uuid', V1 + '/resources', V1 + '/resources/routes'),
  ...resource('routes', ROUTE), ...resource('waypoints', POINT), ...resource('regions', REGION), ...resource('notes', NOTE),
  ['GET', `${V2}/resources/notes?href=/resources/regions/${ID}`],
  ...resource('charts', CHART),
]

const COURSE = V2 + '/vessels/self/navigation/course'
const course = [
  ['GET', COURSE], ['GET', COURSE + '/calcValues'], ['GET', COURSE + '/_config'], ['POST', COURSE + '/_config/apiOnly'],
  ['GET', COURSE + '/_config', undefined, { case: 'apiOnly' }], ['DELETE', COURSE + '/_config/apiOnly'],
  ['PUT', COURSE + '/restart'], ['PUT', COURSE + '/arrivalCircle', { value: 200 }], ['PUT', COURSE + '/arrivalCircle', { value: -1 }, { case: 'negative' }],
  ['PUT', COURSE + '/arrivalCircle', { value: 'x' }, { case: 'text' }],
  ['PUT', COURSE + '/destination', { position: { latitude: 54.2, longitude: 10.1 }, arrivalCircle: 100 }],
  ['GET', COURSE, undefined, { case: 'to a position' }],
  ['GET', COURSE + '/calcValues', undefined, { case: 'to a position', underWay: 3000 }],
  ['PUT', COURSE + '/restart', undefined, { case: 'on course' }],
  ['PUT', COURSE + '/targetArrivalTime', { value: '2030-01-01T00:00:00Z' }],
  ['PUT', COURSE + '/targetArrivalTime', { value: 'x' }, { case: 'no time' }],
  ['PUT', COURSE + '/targetArrivalTime', { value: null }, { case: 'none' }],
  ['PUT', COURSE + '/destination', { href: `/resources/waypoints/${ID}` }, { case: 'waypoint' }],
  ['GET', COURSE, undefined, { case: 'to a waypoint' }],
  ['PUT', COURSE + '/destination', { href: `/resources/waypoints/${NOBODY_HAS}` }, { case: 'unknown waypoint' }],
  ['PUT', COURSE + '/destination', { position: { latitude: 99, longitude: 10 } }, { case: 'no position' }],
  ['PUT', COURSE + '/destination', {}, { case: 'nothing' }],
  ['PUT', COURSE + '/destination', { position: { latitude: 54, longitude: 10 } }, { as: 'nobody', case: 'nobody' }],
  ['PUT', COURSE + '/activeRoute', { href: `/resources/routes/${ID}`, pointIndex: 0 }],
  ['GET', COURSE, undefined, { case: 'along a route' }],
  ['PUT', COURSE + '/activeRoute/nextPoint', { value: 1 }], ['PUT', COURSE + '/activeRoute/nextPoint', undefined, { case: 'no body' }],
  ['PUT', COURSE + '/activeRoute/pointIndex', { value: 2 }], ['PUT', COURSE + '/activeRoute/pointIndex', { value: 9 }, { case: 'too far' }],
  ['PUT', COURSE + '/activeRoute/reverse'], ['PUT', COURSE + '/activeRoute/refresh'],
  ['GET', COURSE, undefined, { case: 'back' }],
  ['PUT', COURSE + '/activeRoute', { href: `/resources/routes/${NOBODY_HAS}` }, { case: 'unknown route' }],
  ['PUT', COURSE + '/activeRoute/nothing', { value: 1 }],
  ['GET', SELF + '/navigation/course', undefined, { case: 'in the tree' }],
  ['DELETE', COURSE], ['DELETE', COURSE, undefined, { case: 'again' }],
  ['PUT', COURSE + '/activeRoute/nextPoint', { value: 1 }, { case: 'no route' }],
  ['PUT', COURSE + '/activeRoute/pointIndex', { value: 1 }, { case: 'no route' }],
  ['PUT', COURSE + '/activeRoute/reverse', undefined, { case: 'no route' }],
  ['PUT', COURSE + '/activeRoute/refresh', undefined, { case: 'no route' }],
  ['GET', COURSE, undefined, { case: 'cleared' }],
]

const NOTICES = V2 + '/notifications'
const notice = (name, path) => [
  ['GET', `${NOTICES}/{{${name}}}`, undefined, { case: name + ' raised' }],
  ['GET', SELF + path.replace('{{id}}', `{{${name}}}`), undefined, { case: name + ' in the tree' }],
  ['POST', `${NOTICES}/{{${name}}}/silence`, undefined, { case: name }],
  ['POST', `${NOTICES}/{{${name}}}/silence`, undefined, { case: name + ' again' }],
  ['GET', `${NOTICES}/{{${name}}}`, undefined, { case: name + ' silenced' }],
  ['POST', `${NOTICES}/{{${name}}}/acknowledge`, undefined, { case: name }],
  ['POST', `${NOTICES}/{{${name}}}/acknowledge`, undefined, { case: name + ' again' }],
  ['POST', `${NOTICES}/{{${name}}}/silence`, undefined, { case: name + ' acknowledged' }],
  ['GET', `${NOTICES}/{{${name}}}`, undefined, { case: name + ' acknowledged' }],
]
const notifications = [
  ['GET', NOTICES],
  ['POST', NOTICES, { state: 'alarm', message: 'Bilge', path: 'trial.bilge', data: { level: 3 } }, { keep: ['alarm', 'id'] }],
  ...notice('alarm', '/notifications/trial/bilge'),
  ['PUT', `${NOTICES}/{{alarm}}`, { state: 'warn', message: 'Less' }],
  ['GET', `${NOTICES}/{{alarm}}`, undefined, { case: 'changed' }],
  ['PUT', `${NOTICES}/{{alarm}}`, { message: 'Same' }, { case: 'message alone' }],
  ['GET', `${NOTICES}/{{alarm}}`, undefined, { case: 'message alone' }],
  ['PUT', `${NOTICES}/{{alarm}}`, { state: 'nonsense' }, { case: 'nonsense' }],
  ['PUT', `${NOTICES}/{{alarm}}`, { state: 'alert' }, { case: 'alert' }],
  ['POST', NOTICES, { state: 'warn', message: 'Plain' }, { keep: ['plain', 'id'], case: 'without path' }],
  ...notice('plain', '/notifications/{{id}}'),
  ['POST', NOTICES, { state: 'warn', message: 'With id', path: 'trial.many', idInPath: true, includePosition: true, includeCreatedAt: true }, { keep: ['many', 'id'], case: 'with id' }],
  ...notice('many', '/notifications/trial/many/{{id}}'),
  ['POST', NOTICES, { state: 'emergency', message: 'Fire' }, { keep: ['fire', 'id'], case: 'emergency' }],
  ...notice('fire', '/notifications/{{id}}'),
  ['POST', NOTICES + '/mob', { message: 'Anna' }, { keep: ['mob', 'id'] }],
  ...notice('mob', '/notifications/mob/{{id}}'),
  ['POST', NOTICES + '/mob', undefined, { keep: ['mob2', 'id'], case: 'no message' }],
  ['GET', `${NOTICES}/{{mob2}}`, undefined, { case: 'no message' }],
  ['POST', NOTICES, { message: 'x' }, { case: 'no state' }], ['POST', NOTICES, { state: 'warn' }, { case: 'no message' }],
  ['POST', NOTICES, { state: 'nonsense', message: 'x', path: 'trial.nonsense' }, { case: 'nonsense' }],
  ['POST', NOTICES, { state: 'warn', message: 'x' }, { as: 'nobody', case: 'nobody' }],
  ['GET', NOTICES, undefined, { case: 'all' }],
  ['POST', NOTICES + '/silenceAll'], ['POST', NOTICES + '/acknowledgeAll'],
  ['GET', NOTICES, undefined, { case: 'all acknowledged' }],
  ['DELETE', `${NOTICES}/{{alarm}}`], ['GET', `${NOTICES}/{{alarm}}`, undefined, { case: 'cleared' }],
  ['GET', SELF + '/notifications/trial/bilge', undefined, { case: 'cleared' }],
  ...['fire', 'mob', 'mob2', 'plain', 'many'].map((name) => ['DELETE', `${NOTICES}/{{${name}}}`, undefined, { case: name }]),
  ...get(`${NOTICES}/${NOBODY_HAS}`, `${NOTICES}/no-uuid`),
  ...['silence', 'acknowledge'].flatMap((word) => [
    ['POST', `${NOTICES}/${NOBODY_HAS}/${word}`], ['POST', `${NOTICES}/no-uuid/${word}`],
  ]),
  ['PUT', `${NOTICES}/${NOBODY_HAS}`, { state: 'warn' }], ['PUT', `${NOTICES}/no-uuid`, { state: 'warn' }],
  ['DELETE', `${NOTICES}/${NOBODY_HAS}`], ['DELETE', `${NOTICES}/no-uuid`],
]

const AT = 'lat=54.1&lon=10'
const WEATHER = V2 + '/weather'
const weather = [
  ...get(WEATHER, `${WEATHER}/observations?${AT}`, WEATHER + '/observations', `${WEATHER}/observations?lat=x&lon=10`),
  ...get(`${WEATHER}/forecasts/daily?${AT}`, `${WEATHER}/forecasts/point?${AT}`, `${WEATHER}/warnings?${AT}`),
  ...get(WEATHER + '/_providers', WEATHER + '/_providers/_default', WEATHER + '/nothing'),
  ['POST', WEATHER + '/_providers/_default/nobody'],
]

const RADARS = V2 + '/vessels/self/radars'
const radar = [
  ...get(RADARS, RADARS + '/r1', RADARS + '/interfaces', RADARS + '/r1/capabilities', RADARS + '/r1/controls', RADARS + '/r1/controls/gain'),
  ...get(RADARS + '/r1/targets', RADARS + '/r1/state', RADARS + '/_providers', RADARS + '/_providers/_default'),
  ['PUT', RADARS + '/r1/controls/gain', { value: 50 }], ['POST', RADARS + '/r1/targets', { bearing: 1, distance: 100 }],
  ['DELETE', RADARS + '/r1/targets/1'],
]

const PILOTS = V2 + '/vessels/self/autopilots'
const PILOT = PILOTS + '/nobody'
const autopilot = [
  ...get(PILOTS, PILOTS + '/_providers/_default', PILOT, PILOT + '/options', PILOT + '/state', PILOT + '/mode', PILOT + '/target'),
  ['POST', PILOTS + '/_providers/_default/nobody'],
  ...['engage', 'disengage', 'tack/port', 'tack/starboard', 'gybe/port', 'gybe/starboard', 'dodge', 'courseCurrentPoint', 'courseNextPoint']
    .map((word) => ['POST', `${PILOT}/${word}`]),
  ['PUT', PILOT + '/state', { value: 'enabled' }], ['PUT', PILOT + '/mode', { value: 'gps' }],
  ['PUT', PILOT + '/target', { value: 1, units: 'rad' }], ['PUT', PILOT + '/target/adjust', { value: 0.1, units: 'rad' }],
  ['DELETE', PILOT + '/dodge'], ['PUT', PILOT + '/dodge', { value: 0.1, units: 'rad' }],
]

const HISTORY = V2 + '/history'
const SPAN = 'from=2026-01-01T00:00:00Z&to=2026-01-01T01:00:00Z'
const history = [
  ...get(`${HISTORY}/values?paths=navigation.speedOverGround&${SPAN}`, `${HISTORY}/contexts?${SPAN}`, `${HISTORY}/paths?${SPAN}`),
  ...get(HISTORY + '/_providers', HISTORY + '/_providers/_default'), ['POST', HISTORY + '/_providers/_default/nobody'],
]

const GNSS = V2 + '/vessels/self/sensors/gnss'
const BLE = V2 + '/vessels/self/ble'
const sensors = [
  ['GET', GNSS], ['PUT', GNSS, { sensors: [] }], ['DELETE', GNSS],
  ...get(BLE, BLE + '/_providers', BLE + '/_providers/_default', BLE + '/devices', BLE + '/devices/AA:BB:CC:DD:EE:FF'),
  ...get(BLE + '/devices/AA:BB:CC:DD:EE:FF/gatt', BLE + '/consumers', BLE + '/settings', BLE + '/gateway/ws', BLE + '/gateways'),
  ['GET', BLE + '/advertisements', undefined, { endless: true }],
  ['POST', BLE + '/_providers/_default/nobody'], ['PUT', BLE + '/settings', {}], ['POST', BLE + '/gateway/advertisements', { gateway_id: 'g', devices: [] }],
]

const APPS = '/signalk/v1/applicationData'
const stores = [
  ...get(APPS + '/global/walk', APPS + '/user/walk', APPS + '/global/walk/1.0'),
  ['POST', APPS + '/global/walk/1.0', { a: { b: 1 } }], ['GET', APPS + '/global/walk/1.0', undefined, { case: 'kept' }],
  ['GET', APPS + '/global/walk/1.0/a'], ['GET', APPS + '/global/walk/1.0/a/b'], ['GET', APPS + '/global/walk/1.0/nothing'],
  ['POST', APPS + '/global/walk/1.0', [{ op: 'add', path: '/c', value: [1] }], { case: 'patch' }],
  ['PATCH', APPS + '/global/walk/1.0', [{ op: 'replace', path: '/a', value: 2 }]],
  ['GET', APPS + '/global/walk/1.0', undefined, { case: 'patched' }], ['GET', APPS + '/global/walk', undefined, { case: 'versions' }],
  ['POST', APPS + '/user/walk/1.0', { mine: true }, { as: 'user' }], ['GET', APPS + '/user/walk/1.0', undefined, { as: 'user' }],
  ['POST', APPS + '/user/walk/1.0/deep/er', { x: 1 }, { as: 'user' }], ['GET', APPS + '/user/walk/1.0', undefined, { as: 'user', case: 'deeper' }],
  ['GET', APPS + '/user/walk/no-version', undefined, { as: 'user' }], ['POST', APPS + '/global/walk/1.0', { x: 1 }, { as: 'nobody', case: 'nobody' }],
]

const server = [
  ...get('/', '/admin', '/favicon.ico', '/documentation', '/skServer/vessel', '/skServer/settings', '/skServer/plugins', '/skServer/webapps'),
  ...get('/skServer/addons', '/skServer/providers', '/skServer/availablePaths', '/skServer/security/config', '/skServer/security/users'),
  ...get('/skServer/sourcePriorities', '/skServer/logfiles', '/skServer/debugKeys', '/skServer/appstore/available', '/skServer/backup'),
  ...get('/skServer/nothing', '/signalk/v1/unitpreferences/active', '/signalk/v1/unitpreferences/config', '/signalk/v1/unitpreferences/categories'),
]

export const REQUESTS = [
  ...tree, ...security, ...features, ...stores, ...resources, ...course, ...notifications, ...puts, ...weather, ...radar, ...autopilot,
  ...history, ...sensors, ...server,
]
