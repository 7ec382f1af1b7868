# SPDX-License-Identifier: MIT
"""A cluster of this project's own under test: started, put back between transcripts, hurried while one waits."""
import base64
import http.client
import json
import os
import random
import shutil
import ssl
import subprocess
import threading

SETTLE = "3s"   # recordings were made when an output had stood still for so long
LETTERS = "aeiou013"  # a namespace of these never looks like a generated name


def new_namespace():
    return "golden-" + "".join(random.choice(LETTERS) for _ in range(7)) + "a"


def namespace_config(config, namespace, folder):
    """The path of a kubeconfig in `folder` that is `config` in this namespace."""
    config = json.loads(json.dumps(config))
    config["current-context"] = "golden"
    config["clusters"][0]["name"] = config["users"][0]["name"] = "golden"
    config["contexts"] = [{"name": "golden", "context": {"cluster": "golden", "user": "golden", "namespace": namespace}}]
    path = os.path.join(folder, ".kubeconfig")
    with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as f:
        json.dump(config, f)
    return path


def names_of(nodes):
    """The nodes' names, and what transcripts call them: {"NODE1": …, "CONTROL": …}."""
    control = "node-role.kubernetes.io/control-plane"
    names = sorted(n["metadata"]["name"] for n in nodes)
    workers = sorted(n["metadata"]["name"] for n in nodes if control not in n["metadata"]["labels"])
    variables = {f"NODE{i + 1}": name for i, name in enumerate(workers)}
    variables.update({"CONTROL": name for name in names if name not in workers})
    return names, variables


class Cluster:
    def __init__(self, ktutor, kubectl, home, name, nodes):
        self.ktutor, self.kubectl, self.name, self.lock = ktutor, kubectl, name, threading.Lock()
        self.home = os.path.join(home, name)
        os.mkdir(self.home)
        self.environment = dict(os.environ, KTUTOR_HOME=os.path.join(self.home, "state"), HOME=self.home)
        subprocess.run([ktutor, "cluster", "up", name, "--nodes-from", nodes], env=self.environment, check=True,
                       stdout=subprocess.DEVNULL)
        told = subprocess.run([ktutor, "cluster", "env", name], env=self.environment, check=True,
                              capture_output=True, text=True).stdout
        self.environment["KUBECONFIG"] = told.split("=", 1)[1].strip().strip("'\"")
        view = self.call("config", "view", "--raw", "--flatten", "--minify", "-o", "json")
        self.config = json.loads(view)
        self.server = self.config["clusters"][0]["cluster"]["server"].split("//", 1)[1]
        self.context = self.trust()
        self.connection = None
        self.nodes, self.variables = names_of(json.loads(self.call("get", "nodes", "-o", "json"))["items"])
        self.ask("POST", "clock", {"advance": "10s"})
        self.ask("POST", "snapshot", {"name": "clean"})

    def trust(self):
        files = {}
        for part, data in (("ca", self.config["clusters"][0]["cluster"]["certificate-authority-data"]),
                           ("cert", self.config["users"][0]["user"]["client-certificate-data"]),
                           ("key", self.config["users"][0]["user"]["client-key-data"])):
            files[part] = os.path.join(self.home, part + ".pem")
            with open(os.open(files[part], os.O_WRONLY | os.O_CREAT, 0o600), "wb") as f:
                f.write(base64.b64decode(data))
        context = ssl.create_default_context(cafile=files["ca"])
        context.load_cert_chain(files["cert"], files["key"])
        return context

    def call(self, *words):
        return subprocess.run([self.kubectl, *words], env=self.environment, check=True, capture_output=True,
                              text=True, timeout=60).stdout

    def ask(self, method, path, body):
        """A request over a kept connection. Paths without a slash are ktutor's own."""
        with self.lock:
            for again in (True, False):
                try:
                    if not self.connection:
                        host, port = self.server.split(":")
                        self.connection = http.client.HTTPSConnection(host, int(port), context=self.context, timeout=60)
                    self.connection.request(method, path if path[0] == "/" else "/ktutor/v1/" + path,
                                            json.dumps(body), {"Content-Type": "application/json"})
                    answer = self.connection.getresponse()
                    text = answer.read()
                    break
                except (OSError, http.client.HTTPException):
                    self.connection = None
                    if not again:
                        raise
            if answer.status >= 300:
                raise RuntimeError(f"{method} {path}: {answer.status} {text.decode()}")

    def advance(self, span):
        self.ask("POST", "clock", {"advance": span})

    def flow(self, factor):
        """Time passes so much faster than outside; 0: it stands still."""
        self.ask("POST", "clock", {"paused": False, "speed": factor} if factor else {"paused": True})

    def begin(self, folder, attempt=0):
        """Everything as at the start, and a new namespace with a kubeconfig for it in `folder`. Further attempts draw
        other UIDs at another moment: what these decide is chance, on real clusters too."""
        self.ask("POST", "restore", {"name": "clean"})
        self.flow(0)
        for i in range(attempt):
            self.ask("POST", "/api/v1/namespaces/kube-public/configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"attempt-{i}"}})
            self.advance("370ms")
        namespace = new_namespace()
        self.ask("POST", "/api/v1/namespaces?fieldManager=kubectl-create", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        self.advance("1s")
        return namespace, namespace_config(self.config, namespace, folder)

    def end(self):
        subprocess.run([self.ktutor, "cluster", "down", self.name], env=self.environment, check=False,
                       stdout=subprocess.DEVNULL)
        shutil.rmtree(self.home, ignore_errors=True)
