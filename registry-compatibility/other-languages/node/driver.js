// Drives the npm package nacos: a command per line on standard input, an answer per line on standard output.
'use strict';

const readline = require('readline');
const { NacosNamingClient } = require('nacos');

const say = line => process.stdout.write(JSON.stringify(line) + '\n');
const logger = new console.Console(process.stderr, process.stderr);
const clients = new Map();

function shown(instances) {
  return instances.map(each => ({
    ip: each.ip,
    port: each.port,
    cluster: each.clusterName,
    weight: each.weight,
    healthy: each.healthy,
    enabled: each.enabled,
    ephemeral: each.ephemeral,
    metadata: each.metadata || {},
  }));
}

function given(json) {
  const out = {
    ip: json.ip,
    port: json.port,
    weight: json.weight,
    enabled: json.enabled,
    ephemeral: json.ephemeral,
    metadata: json.metadata || {},
  };
  if (json.cluster) {
    out.clusterName = json.cluster;
  }
  return out;
}

class Client {
  constructor(name, command) {
    this.name = name;
    this.naming = new NacosNamingClient({
      logger,
      serverList: command.servers,
      namespace: command.namespace || 'public',
      username: command.username,
      password: command.password,
    });
    this.listeners = new Map();
    this.watches = new Map();
  }

  tell(by, command, words) {
    say(Object.assign({ seen: this.name, by, service: command.service, group: command.group }, words));
  }

  async done(command) {
    const { service, group } = command;
    const clusters = (command.clusters || []).join(',');
    const key = JSON.stringify([ service, group, clusters ]);
    switch (command.do) {
      case 'register':
        await this.naming.registerInstance(service, given(command.instance), group);
        return {};
      case 'deregister':
        await this.naming.deregisterInstance(service, given(command.instance), group);
        return {};
      case 'list':
        return { instances: shown(await this.list(service, group, clusters)) };
      case 'select':
        return { instances: shown(await this.naming.selectInstances(service, group, clusters, command.healthy, false)) };
      case 'status':
        return { status: await this.naming.getServerStatus() };
      case 'subscribe': {
        const listener = instances => this.tell('event', command, { instances: shown(instances) });
        this.listeners.set(key, listener);
        this.naming.subscribe({ serviceName: service, groupName: group, clusters }, listener);
        return {};
      }
      case 'unsubscribe':
        this.naming.unSubscribe({ serviceName: service, groupName: group, clusters }, this.listeners.get(key));
        this.listeners.delete(key);
        return {};
      case 'watch':
        this.watches.set(key, this.watch(command, clusters));
        return {};
      case 'unwatch':
        clearInterval(this.watches.get(key));
        this.watches.delete(key);
        return {};
      default:
        throw new Error(`do: ${command.do} (expected: a known command)`);
    }
  }

  // Past the library's cache, which never takes an empty list for what it has: by its own way to ask, which answers the text.
  async list(service, group, clusters) {
    const answer = await this.naming._serverProxy.queryList(`${group}@@${service}`, clusters, 0, false);
    return JSON.parse(answer).hosts;
  }

  watch(command, clusters) {
    let before;
    const look = async () => {
      let words;
      try {
        words = { instances: shown(await this.naming.getAllInstances(command.service, command.group, clusters, true)) };
      } catch (e) { // whatever a caller would have met
        words = { error: String(e) };
      }
      const now = JSON.stringify(words);
      if (now !== before) {
        before = now;
        this.tell('watch', command, words);
      }
    };
    return setInterval(look, 20);
  }

  async close() {
    this.watches.forEach(clearInterval);
    await this.naming.close();
  }
}

async function done(command) {
  if (command.do === 'open') {
    const client = new Client(command.client, command);
    await client.naming.ready();
    clients.set(command.client, client);
    return {};
  }
  const client = clients.get(command.client);
  if (!client) {
    throw new Error(`client: ${command.client} (expected: one that is open)`);
  }
  if (command.do === 'close') {
    clients.delete(command.client);
    await client.close();
    return {};
  }
  return client.done(command);
}

process.on('uncaughtException', e => logger.error(e)); // of its timers; a program would log it too
process.on('unhandledRejection', e => logger.error(e));
const lines = readline.createInterface({ input: process.stdin });
lines.on('line', async line => {
  const command = JSON.parse(line);
  try {
    say({ id: command.id, ok: await done(command) });
  } catch (e) {
    logger.error(e);
    say({ id: command.id, failed: String(e) });
  }
});
lines.on('close', () => process.exit(0));
say({ ready: require('nacos/package.json').version });
