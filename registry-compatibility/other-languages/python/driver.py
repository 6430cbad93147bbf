"""Drives nacos-sdk-python: a command per line on standard input, an answer per line on standard output."""

import asyncio
import importlib.metadata
import json
import os
import sys
import traceback

OUT = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
os.dup2(2, 1)  # what libraries print is no answer

from v2.nacos import (  # noqa: E402
    BatchRegisterInstanceParam,
    ClientConfigBuilder,
    DeregisterInstanceParam,
    ListInstanceParam,
    ListServiceParam,
    NacosNamingService,
    RegisterInstanceParam,
    SubscribeServiceParam,
)


def say(line):
    OUT.write(json.dumps(line) + "\n")


def shown(instances):
    return [
        {
            "ip": each.ip,
            "port": each.port,
            "cluster": each.clusterName,
            "weight": each.weight,
            "healthy": each.healthy,
            "enabled": each.enabled,
            "ephemeral": each.ephemeral,
            "metadata": each.metadata or {},
        }
        for each in instances
    ]


def words(service, group, given):
    return {
        "service_name": service,
        "group_name": group,
        "ip": given["ip"],
        "port": given["port"],
        "weight": given.get("weight", 1.0),
        "enabled": given.get("enabled", True),
        "ephemeral": given.get("ephemeral", True),
        "metadata": given.get("metadata", {}),
        "cluster_name": given.get("cluster", ""),
    }


def registered(service, group, given):
    return RegisterInstanceParam(**words(service, group, given))


class Client:
    def __init__(self, name, naming):
        self.name = name
        self.naming = naming
        self.subscriptions = {}
        self.watches = {}

    @staticmethod
    async def open(name, command):
        builder = (
            ClientConfigBuilder()
            .server_address(command["servers"])
            .namespace_id(command.get("namespace") or "public")
            .log_level("INFO")
            .log_dir(os.path.join(os.getcwd(), "logs"))
            .cache_dir(os.path.join(os.getcwd(), "cache"))
        )
        if command.get("username"):
            builder = builder.username(command["username"]).password(command["password"])
        config = builder.build()
        config.load_cache_at_start = False
        config.update_cache_when_empty = True  # otherwise it keeps the last instance for ever
        return Client(name, await NacosNamingService.create_naming_service(config))

    def tell(self, by, service, group, more):
        say({"seen": self.name, "by": by, "service": service, "group": group, **more})

    async def done(self, command):
        do = command["do"]
        service = command.get("service", "")
        group = command.get("group", "")
        clusters = command.get("clusters", [])
        key = (service, group, tuple(clusters))
        if do == "register":
            return well(await self.naming.register_instance(registered(service, group, command["instance"])))
        if do == "deregister":
            given = words(service, group, command["instance"])
            param = DeregisterInstanceParam(**{k: v for k, v in given.items() if k in DeregisterInstanceParam.model_fields})
            return well(await self.naming.deregister_instance(param))
        if do in ("batchRegister", "batchDeregister"):
            param = BatchRegisterInstanceParam(
                service_name=service,
                group_name=group,
                instances=[registered(service, group, each) for each in command["instances"]],
            )
            if do == "batchRegister":
                return well(await self.naming.batch_register_instances(param))
            return well(await self.naming.batch_deregister_instances(param))
        if do == "list":
            return {"instances": shown(await self.list(service, group, clusters, False, None))}
        if do == "select":
            return {"instances": shown(await self.list(service, group, clusters, False, command["healthy"]))}
        if do == "services":
            answer = await self.naming.list_services(
                ListServiceParam(group_name=group, page_no=command["page"], page_size=command["size"])
            )
            return {"count": answer.count, "services": list(answer.services)}
        if do == "status":
            return {"status": "UP" if await self.naming.server_health() else "DOWN"}
        if do == "subscribe":

            async def heard(instances):
                self.tell("event", service, group, {"instances": shown(instances)})

            param = SubscribeServiceParam(
                service_name=service, group_name=group, clusters=clusters, subscribe_callback=heard
            )
            self.subscriptions[key] = param
            await self.naming.subscribe(param)
            # Of what the library has already it tells changes alone: a program looks by itself at what there is.
            there = await self.list(service, group, clusters, True, None)
            if there:
                self.tell("event", service, group, {"instances": shown(there)})
            return {}
        if do == "unsubscribe":
            await self.naming.unsubscribe(self.subscriptions.pop(key))
            return {}
        if do == "watch":
            self.watches[key] = asyncio.create_task(self.watch(service, group, clusters))
            return {}
        if do == "unwatch":
            self.watches.pop(key).cancel()
            return {}
        raise ValueError(f"do: {do} (expected: a known command)")

    async def list(self, service, group, clusters, subscribe, healthy):
        return await self.naming.list_instances(
            ListInstanceParam(
                service_name=service, group_name=group, clusters=clusters, subscribe=subscribe, healthy_only=healthy
            )
        )

    async def watch(self, service, group, clusters):
        before = None
        while True:
            try:
                now = {"instances": shown(await self.list(service, group, clusters, True, None))}
            except Exception as e:  # whatever a caller would have met
                now = {"error": repr(e)}
            if now != before:
                before = now
                self.tell("watch", service, group, now)
            await asyncio.sleep(0.02)

    async def close(self):
        for task in self.watches.values():
            task.cancel()
        await self.naming.shutdown()


def well(answer):
    if answer is not True:
        raise RuntimeError(f"answered {answer} (expected: True)")
    return {}


CLIENTS = {}


async def done(command):
    name = command["client"]
    if command["do"] == "open":
        CLIENTS[name] = await Client.open(name, command)
        return {}
    if name not in CLIENTS:
        raise ValueError(f"client: {name} (expected: one that is open)")
    if command["do"] == "close":
        await CLIENTS.pop(name).close()
        return {}
    return await CLIENTS[name].done(command)


async def answer(line):
    command = json.loads(line)
    try:
        say({"id": command["id"], "ok": await done(command)})
    except Exception as e:
        traceback.print_exc()
        say({"id": command["id"], "failed": repr(e)})


async def main():
    reader = asyncio.StreamReader(limit=16 << 20)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    say({"ready": importlib.metadata.version("nacos-sdk-python")})
    answering = set()
    while line := await reader.readline():
        task = asyncio.create_task(answer(line))
        answering.add(task)
        task.add_done_callback(answering.discard)
    os._exit(0)


asyncio.run(main())
