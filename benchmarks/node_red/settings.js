// Node-RED without its editor, with one pool of PostgreSQL connections for the function nodes.
// BROKER_PORT and DATABASE_URL come from benchmarks/peer.py.
const { Pool } = require("pg");

module.exports = {
  httpAdminRoot: false,
  httpNodeRoot: false,
  credentialSecret: false,
  telemetry: { enabled: false, updateNotification: false },
  externalModules: { autoInstall: false, palette: { allowInstall: false }, modules: { allowInstall: false } },
  functionGlobalContext: { pool: new Pool({ connectionString: process.env.DATABASE_URL, max: 10 }) },
  logging: { console: { level: "info", metrics: false, audit: false } },
};
