/* SPDX-License-Identifier: MIT */
#include "cluster/kubelet/images.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/network/world.h"

/* What lies in the images. */
static const char nginx_page[] =
        "<!DOCTYPE html>\n<html>\n<head>\n<title>Welcome to nginx!</title>\n<style>\n"
        "html { color-scheme: light dark; }\nbody { width: 35em; margin: 0 auto;\n"
        "font-family: Tahoma, Verdana, Arial, sans-serif; }\n</style>\n</head>\n<body>\n"
        "<h1>Welcome to nginx!</h1>\n<p>If you see this page, the nginx web server is successfully installed "
        "and\n"
        "working. Further configuration is required.</p>\n\n<p>For online documentation and support please "
        "refer to\n"
        "<a href=\"http://nginx.org/\">nginx.org</a>.<br/>\nCommercial support is available at\n"
        "<a href=\"http://nginx.com/\">nginx.com</a>.</p>\n\n<p><em>Thank you for using "
        "nginx.</em></p>\n</body>\n</html>\n";
static const char nginx_conf[] =
        "user  nginx;\nworker_processes  auto;\n\nevents {\n    worker_connections  1024;\n}\n\n"
        "http {\n    include       /etc/nginx/mime.types;\n"
        "    include /etc/nginx/conf.d/*.conf;\n}\n";
static const char nginx_site[] =
        "server {\n    listen       80;\n    server_name  localhost;\n\n    location / {\n"
        "        root   /usr/share/nginx/html;\n        index  index.html index.htm;\n    }\n}\n";
static const char nginx_site_8080[] =
        "server {\n    listen       8080;\n    server_name  localhost;\n\n    location / {\n"
        "        root   /usr/share/nginx/html;\n        index  index.html index.htm;\n    }\n}\n";

static const struct files_seed nginx_files[] = {{"/usr/share/nginx/html/index.html", nginx_page, 0},
                                                {"/etc/nginx/nginx.conf", nginx_conf, 0},
                                                {"/etc/nginx/conf.d/default.conf", nginx_site, 0},
                                                {"/var/log/nginx", NULL, 0},
                                                {"/var/cache/nginx", NULL, 0},
                                                {NULL, NULL, 0}};
static const struct files_seed nginx_8080_files[] = {{"/usr/share/nginx/html/index.html", nginx_page, 0},
                                                     {"/etc/nginx/nginx.conf", nginx_conf, 0},
                                                     {"/etc/nginx/conf.d/default.conf", nginx_site_8080, 0},
                                                     {NULL, NULL, 0}};
static const struct files_seed httpd_files[] = {
        {"/usr/local/apache2/htdocs/index.html", "<html><body><h1>It works!</h1></body></html>\n", 0},
        {"/usr/local/apache2/conf/httpd.conf", "Listen 80\nDocumentRoot \"/usr/local/apache2/htdocs\"\n", 0},
        {NULL, NULL, 0}};
static const struct files_seed curl_files[] = {
        {"/etc/passwd",
         "root:x:0:0:root:/root:/bin/sh\nbin:x:1:1:bin:/bin:/sbin/nologin\nnobody:x:65534:65534:nobody:/:/"
         "sbin/"
         "nologin\n"
         "curl_user:x:100:101:Linux User,,,:/home/curl_user:/sbin/nologin\n",
         0},
        {"/etc/group", "root:x:0:root\nbin:x:1:root\nnobody:x:65534:\ncurl_group:x:101:curl_user\n", 0},
        {"/home/curl_user", NULL, FILES_OWNED(100) | 0755},
        {NULL, NULL, 0}};
static const struct files_seed data_files[] = {{"/data", NULL, FILES_OWNED(999) | 0755}, {NULL, NULL, 0}};
static const struct files_seed postgres_files[] = {
        {"/var/lib/postgresql/data", NULL, 0700}, {"/docker-entrypoint-initdb.d", NULL, 0}, {NULL, NULL, 0}};
static const struct files_seed mysql_files[] = {
        {"/var/lib/mysql", NULL, 0}, {"/docker-entrypoint-initdb.d", NULL, 0}, {NULL, NULL, 0}};
static const struct files_seed mongo_files[] = {{"/data/db", NULL, 0}, {NULL, NULL, 0}};
static const struct files_seed prometheus_files[] = {
        {"/etc/prometheus/prometheus.yml", "global:\n  scrape_interval: 15s\n", 0},
        {"/prometheus", NULL, 0},
        {NULL, NULL, 0}};
static const struct files_seed work_files[] = {{"/app", NULL, 0}, {"/usr/src/app", NULL, 0}, {NULL, NULL, 0}};

static const struct files_seed busybox_base[] = {
        {"/bin", NULL, 0},
        {"/home", NULL, 0},
        {"/lib", NULL, 0},
        {"/usr/bin", NULL, 0},
        {"/usr/sbin", NULL, 0},
        {"/var/spool/mail", NULL, 0},
        {"/var/www", NULL, 0},
        {"/etc/passwd",
         "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\nbin:x:2:2:bin:/bin:/bin/"
         "false\n"
         "sys:x:3:3:sys:/dev:/bin/false\nwww-data:x:33:33:www-data:/var/www:/bin/false\n"
         "nobody:x:65534:65534:nobody:/home:/bin/false\n",
         0},
        {"/etc/group",
         "root:x:0:\ndaemon:x:1:\nbin:x:2:\nsys:x:3:\nwheel:x:10:root\nwww-data:x:33:\nnobody:x:65534:\n", 0},
        {"/etc/shadow", "root:*:::::::\n", 0600},
        {NULL, NULL, 0}};
static const struct files_seed alpine_base[] = {
        {"/etc/os-release",
         "NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.22.0\nPRETTY_NAME=\"Alpine Linux v3.22\"\n", 0},
        {"/etc/alpine-release", "3.22.0\n", 0},
        {"/bin", NULL, 0},
        {"/home", NULL, 0},
        {"/lib", NULL, 0},
        {"/media", NULL, 0},
        {"/mnt", NULL, 0},
        {"/opt", NULL, 0},
        {"/run", NULL, 0},
        {"/sbin", NULL, 0},
        {"/srv", NULL, 0},
        {"/usr/bin", NULL, 0},
        {"/usr/sbin", NULL, 0},
        {"/var/log", NULL, 0},
        {"/etc/passwd",
         "root:x:0:0:root:/root:/bin/sh\nbin:x:1:1:bin:/bin:/sbin/nologin\nnginx:x:101:101:nginx:/var/cache/"
         "nginx:/sbin/nologin\n"
         "nobody:x:65534:65534:nobody:/:/sbin/nologin\n",
         0},
        {"/etc/group",
         "root:x:0:root\nbin:x:1:root\ndaemon:x:2:root\nsys:x:3:root\nadm:x:4:root\ndisk:x:6:root\nwheel:x:"
         "10:root\n"
         "floppy:x:11:root\ndialout:x:20:root\ntape:x:26:root\nvideo:x:27:root\nnginx:x:101:\nnobody:x:65534:"
         "\n",
         0},
        {NULL, NULL, 0}};
static const struct files_seed debian_base[] = {
        {"/etc/os-release",
         "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\n"
         "VERSION=\"12 (bookworm)\"\nVERSION_CODENAME=bookworm\nID=debian\n",
         0},
        {"/etc/debian_version", "12.11\n", 0},
        {"/bin", NULL, 0},
        {"/boot", NULL, 0},
        {"/home", NULL, 0},
        {"/lib", NULL, 0},
        {"/lib64", NULL, 0},
        {"/media", NULL, 0},
        {"/mnt", NULL, 0},
        {"/opt", NULL, 0},
        {"/run", NULL, 0},
        {"/sbin", NULL, 0},
        {"/srv", NULL, 0},
        {"/usr/bin", NULL, 0},
        {"/usr/local/bin", NULL, 0},
        {"/usr/sbin", NULL, 0},
        {"/var/log", NULL, 0},
        {"/var/lib", NULL, 0},
        {"/etc/passwd",
         "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
         "www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\nnginx:x:101:101:nginx "
         "user:/nonexistent:/bin/false\n"
         "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
         0},
        {"/etc/group", "root:x:0:\ndaemon:x:1:\nwww-data:x:33:\nnginx:x:101:\nnogroup:x:65534:\n", 0},
        {NULL, NULL, 0}};

#define WORDS(...)                                                                                           \
	(const char *const[])                                                                                \
	{                                                                                                    \
		__VA_ARGS__, NULL                                                                            \
	}
#define MB  *1000000LL
#define MIB *(1LL << 20)

/* The catalogue. Versions: the newest that the registry has; sizes are those of the compressed images, about.
 */
static const struct image images[] = {
        {.name = "nginx",
         .versions = "1.7.9 1.9.15 1.10.3 1.11.13 1.12.2 1.13.12 1.14.2 1.15.12 1.16.1 1.17.10 1.18.0 "
                     "1.19.10 1.20.2 1.21.6 1.22.1 1.23.4 1.24.0 1.25.5 1.26.3 1.27.5 1.28.0 1.29.4",
         .tag = "alpine",
         .newest_major = 1,
         .newest_minor = 29,
         .entrypoint = WORDS("/docker-entrypoint.sh"),
         .command = WORDS("nginx", "-g", "daemon off;"),
         .env = WORDS("NGINX_VERSION=1.27.5"),
         .size = 21 MB,
         .tools = "busybox alpine curl nginx",
         .files = nginx_files,
         .port = 80,
         .start = 150 * KT_MS,
         .memory = 4 MIB,
         .stop_signal_exit = 0},
        {.name = "nginx",
         .versions = "1.7.9 1.9.15 1.10.3 1.11.13 1.12.2 1.13.12 1.14.2 1.15.12 1.16.1 1.17.10 1.18.0 "
                     "1.19.10 1.20.2 1.21.6 1.22.1 1.23.4 1.24.0 1.25.5 1.26.3 1.27.5 1.28.0 1.29.4",
         .newest_major = 1,
         .newest_minor = 29,
         .entrypoint = WORDS("/docker-entrypoint.sh"),
         .command = WORDS("nginx", "-g", "daemon off;"),
         .env = WORDS("NGINX_VERSION=1.27.5", "PKG_RELEASE=1~bookworm"),
         .size = 72 MB,
         .tools = "busybox debian curl nginx",
         .files = nginx_files,
         .port = 80,
         .start = 200 * KT_MS,
         .memory = 5 MIB,
         .stop_signal_exit = 0},
        {.name = "nginxinc/nginx-unprivileged",
         .newest_major = 1,
         .newest_minor = 29,
         .entrypoint = WORDS("/docker-entrypoint.sh"),
         .command = WORDS("nginx", "-g", "daemon off;"),
         .user = "101",
         .size = 72 MB,
         .tools = "busybox debian curl nginx",
         .files = nginx_8080_files,
         .port = 8080,
         .start = 200 * KT_MS,
         .memory = 5 MIB,
         .stop_signal_exit = 0},
        {.name = "httpd",
         .versions = "2.2.34 2.4.66",
         .tag = "alpine",
         .newest_major = 2,
         .newest_minor = 4,
         .command = WORDS("httpd-foreground"),
         .working_dir = "/usr/local/apache2",
         .size = 20 MB,
         .tools = "busybox alpine httpd",
         .files = httpd_files,
         .port = 80,
         .start = 250 * KT_MS,
         .memory = 7 MIB,
         .stop_signal_exit = 0},
        {.name = "httpd",
         .versions = "2.2.34 2.4.66",
         .newest_major = 2,
         .newest_minor = 4,
         .command = WORDS("httpd-foreground"),
         .working_dir = "/usr/local/apache2",
         .size = 58 MB,
         .tools = "busybox debian httpd",
         .files = httpd_files,
         .port = 80,
         .start = 250 * KT_MS,
         .memory = 8 MIB,
         .stop_signal_exit = 0},
        {.name = "busybox",
         .versions = "1.23.2 1.24.2 1.25.1 1.26.2 1.27.2 1.28.4 1.29.3 1.30.1 1.31.1 1.32.1 1.33.1 1.34.1 "
                     "1.35.0 1.36.1 1.37.0",
         .newest_major = 1,
         .newest_minor = 37,
         .command = WORDS("sh"),
         .size = 2200000,
         .tools = "busybox",
         .memory = 400 << 10,
         .stop_signal_exit = -1},
        {.name = "alpine",
         .versions = "3.5.3 3.6.5 3.7.3 3.8.5 3.9.6 3.10.9 3.11.13 3.12.12 3.13.12 3.14.10 3.15.11 3.16.9 "
                     "3.17.10 3.18.12 3.19.9 3.20.8 3.21.5 3.22.2 3.23.0",
         .newest_major = 3,
         .newest_minor = 22,
         .command = WORDS("/bin/sh"),
         .size = 3700000,
         .tools = "busybox alpine",
         .memory = 500 << 10,
         .stop_signal_exit = -1},
        {.name = "debian",
         .newest_major = 13,
         .command = WORDS("bash"),
         .size = 49 MB,
         .tools = "busybox debian",
         .memory = 1 MIB,
         .stop_signal_exit = -1},
        {.name = "ubuntu",
         .newest_major = 25,
         .newest_minor = 10,
         .command = WORDS("/bin/bash"),
         .size = 30 MB,
         .tools = "busybox debian",
         .memory = 1 MIB,
         .stop_signal_exit = -1},
        {.name = "bash",
         .newest_major = 5,
         .newest_minor = 3,
         .command = WORDS("bash"),
         .size = 7 MB,
         .tools = "busybox alpine bash",
         .memory = 1 MIB,
         .stop_signal_exit = -1},
        {.name = "centos",
         .newest_major = 8,
         .newest_minor = 4,
         .command = WORDS("/bin/bash"),
         .size = 83 MB,
         .tools = "busybox debian curl",
         .memory = 1 MIB,
         .stop_signal_exit = -1},
        {.name = "fedora",
         .newest_major = 42,
         .command = WORDS("/bin/bash"),
         .size = 65 MB,
         .tools = "busybox debian curl",
         .memory = 1 MIB,
         .stop_signal_exit = -1},
        {.name = "perl",
         .newest_major = 5,
         .newest_minor = 42,
         .command = WORDS("perl", "-de0"),
         .size = 340 MB,
         .tools = "busybox debian curl perl",
         .memory = 3 MIB,
         .stop_signal_exit = -1},
        {.name = "curlimages/curl",
         .newest_major = 8,
         .newest_minor = 16,
         .entrypoint = WORDS("/entrypoint.sh"),
         .command = WORDS("curl"),
         .user = "curl_user",
         .working_dir = "/home/curl_user",
         .files = curl_files,
         .size = 9 MB,
         .tools = "busybox alpine curl",
         .memory = 1 MIB,
         .stop_signal_exit = -1},
        {.name = "radial/busyboxplus",
         .command = WORDS("/bin/sh"),
         .size = 5 MB,
         .tools = "busybox curl",
         .memory = 500 << 10,
         .stop_signal_exit = -1},
        {.name = "nicolaka/netshoot",
         .command = WORDS("zsh"),
         .size = 170 MB,
         .tools = "busybox alpine curl netshoot bash",
         .memory = 2 MIB,
         .stop_signal_exit = -1},
        {.name = "wbitt/network-multitool",
         .command = WORDS("nginx", "-g", "daemon off;"),
         .size = 24 MB,
         .tools = "busybox alpine curl netshoot bash nginx",
         .files = nginx_files,
         .port = 80,
         .start = 150 * KT_MS,
         .memory = 5 MIB,
         .stop_signal_exit = 0},
        {.name = "praqma/network-multitool",
         .command = WORDS("nginx", "-g", "daemon off;"),
         .size = 24 MB,
         .tools = "busybox alpine curl netshoot bash nginx",
         .files = nginx_files,
         .port = 80,
         .start = 150 * KT_MS,
         .memory = 5 MIB,
         .stop_signal_exit = 0},
        {.name = "registry.k8s.io/e2e-test-images/jessie-dnsutils",
         .command = WORDS("sleep", "3600"),
         .size = 112 MB,
         .tools = "busybox debian curl netshoot",
         .memory = 1 MIB,
         .stop_signal_exit = -1},
        {.name = "registry.k8s.io/e2e-test-images/busybox",
         .command = WORDS("sh"),
         .size = 2200000,
         .tools = "busybox",
         .memory = 400 << 10,
         .stop_signal_exit = -1},
        {.name = "registry.k8s.io/busybox",
         .command = WORDS("sh"),
         .size = 2200000,
         .tools = "busybox",
         .memory = 400 << 10,
         .stop_signal_exit = -1},
        {.name = "registry.k8s.io/e2e-test-images/nginx",
         .command = WORDS("nginx", "-g", "daemon off;"),
         .size = 51 MB,
         .tools = "busybox debian curl nginx",
         .files = nginx_files,
         .port = 80,
         .start = 200 * KT_MS,
         .memory = 5 MIB},
        {.name = "registry.k8s.io/nginx-slim",
         .command = WORDS("nginx", "-g", "daemon off;"),
         .size = 40 MB,
         .tools = "busybox debian curl nginx",
         .files = nginx_files,
         .port = 80,
         .start = 200 * KT_MS,
         .memory = 5 MIB},
        {.name = "redis",
         .versions = "3.2.12 4.0.14 5.0.14 6.0.20 6.2.21 7.0.15 7.2.12 7.4.7 8.0.5 8.2.3 8.4.0",
         .tag = "alpine",
         .newest_major = 8,
         .newest_minor = 2,
         .entrypoint = WORDS("docker-entrypoint.sh"),
         .command = WORDS("redis-server"),
         .working_dir = "/data",
         .size = 16 MB,
         .tools = "busybox alpine redis",
         .files = data_files,
         .port = 6379,
         .start = 300 * KT_MS,
         .memory = 4 MIB,
         .stop_signal_exit = 0},
        {.name = "redis",
         .versions = "3.2.12 4.0.14 5.0.14 6.0.20 6.2.21 7.0.15 7.2.12 7.4.7 8.0.5 8.2.3 8.4.0",
         .newest_major = 8,
         .newest_minor = 2,
         .entrypoint = WORDS("docker-entrypoint.sh"),
         .command = WORDS("redis-server"),
         .working_dir = "/data",
         .size = 52 MB,
         .tools = "busybox debian redis",
         .files = data_files,
         .port = 6379,
         .start = 300 * KT_MS,
         .memory = 5 MIB,
         .stop_signal_exit = 0},
        {.name = "valkey/valkey",
         .newest_major = 8,
         .newest_minor = 1,
         .entrypoint = WORDS("docker-entrypoint.sh"),
         .command = WORDS("valkey-server"),
         .working_dir = "/data",
         .size = 45 MB,
         .tools = "busybox debian redis",
         .files = data_files,
         .port = 6379,
         .start = 300 * KT_MS,
         .memory = 5 MIB,
         .stop_signal_exit = 0},
        {.name = "postgres",
         .tag = "alpine",
         .newest_major = 18,
         .entrypoint = WORDS("docker-entrypoint.sh"),
         .command = WORDS("postgres"),
         .env = WORDS("PGDATA=/var/lib/postgresql/data", "PG_MAJOR=17"),
         .size = 109 MB,
         .tools = "busybox alpine bash postgres",
         .files = postgres_files,
         .port = 5432,
         .start = 2 * KT_SEC,
         .memory = 38 MIB,
         .stop_signal_exit = 0},
        {.name = "postgres",
         .newest_major = 18,
         .entrypoint = WORDS("docker-entrypoint.sh"),
         .command = WORDS("postgres"),
         .env = WORDS("PGDATA=/var/lib/postgresql/data", "PG_MAJOR=17"),
         .size = 155 MB,
         .tools = "busybox debian postgres",
         .files = postgres_files,
         .port = 5432,
         .start = 2 * KT_SEC,
         .memory = 40 MIB,
         .stop_signal_exit = 0},
        {.name = "mysql",
         .newest_major = 9,
         .newest_minor = 4,
         .entrypoint = WORDS("docker-entrypoint.sh"),
         .command = WORDS("mysqld"),
         .env = WORDS("MYSQL_MAJOR=8.4"),
         .size = 232 MB,
         .tools = "busybox debian mysql",
         .files = mysql_files,
         .port = 3306,
         .start = 8 * KT_SEC,
         .memory = 380 MIB,
         .cpu_milli = 6},
        {.name = "mariadb",
         .newest_major = 12,
         .newest_minor = 0,
         .entrypoint = WORDS("docker-entrypoint.sh"),
         .command = WORDS("mariadbd"),
         .size = 105 MB,
         .tools = "busybox debian mysql",
         .files = mysql_files,
         .port = 3306,
         .start = 5 * KT_SEC,
         .memory = 95 MIB,
         .cpu_milli = 2},
        {.name = "mongo",
         .newest_major = 8,
         .newest_minor = 0,
         .entrypoint = WORDS("docker-entrypoint.sh"),
         .command = WORDS("mongod"),
         .size = 275 MB,
         .tools = "busybox debian mongo",
         .files = mongo_files,
         .port = 27017,
         .start = 3 * KT_SEC,
         .memory = 120 MIB,
         .cpu_milli = 8},
        {.name = "rabbitmq",
         .newest_major = 4,
         .newest_minor = 1,
         .entrypoint = WORDS("docker-entrypoint.sh"),
         .command = WORDS("rabbitmq-server"),
         .size = 110 MB,
         .tools = "busybox debian rabbitmq",
         .port = 5672,
         .start = 10 * KT_SEC,
         .memory = 140 MIB,
         .cpu_milli = 10},
        {.name = "memcached",
         .newest_major = 1,
         .newest_minor = 6,
         .entrypoint = WORDS("docker-entrypoint.sh"),
         .command = WORDS("memcached"),
         .user = "memcache",
         .size = 33 MB,
         .tools = "busybox debian",
         .port = 11211,
         .start = 50 * KT_MS,
         .memory = 3 MIB},
        {.name = "registry.k8s.io/pause",
         .newest_major = 3,
         .newest_minor = 10,
         .entrypoint = WORDS("/pause"),
         .size = 320000,
         .tools = "none pause",
         .memory = 300 << 10},
        {.name = "gcr.io/google_containers/pause",
         .entrypoint = WORDS("/pause"),
         .size = 320000,
         .tools = "none pause",
         .memory = 300 << 10},
        {.name = "registry.k8s.io/e2e-test-images/agnhost",
         .entrypoint = WORDS("/agnhost"),
         .command = WORDS("pause"),
         .size = 51 MB,
         .tools = "busybox alpine curl netshoot agnhost",
         .start = 100 * KT_MS,
         .memory = 8 MIB},
        {.name = "registry.k8s.io/e2e-test-images/resource-consumer",
         .entrypoint = WORDS("/consumer"),
         .size = 50 MB,
         .tools = "busybox consumer",
         .port = 8080,
         .start = 100 * KT_MS,
         .memory = 8 MIB},
        {.name = "hashicorp/http-echo",
         .newest_major = 1,
         .newest_minor = 0,
         .entrypoint = WORDS("/http-echo"),
         .size = 4600000,
         .tools = "none http-echo",
         .port = 5678,
         .start = 50 * KT_MS,
         .memory = 3 MIB},
        {.name = "traefik/whoami",
         .tagged_v = true,
         .entrypoint = WORDS("/whoami"),
         .size = 2600000,
         .tools = "none whoami-server",
         .port = 80,
         .start = 50 * KT_MS,
         .memory = 4 MIB},
        {.name = "containous/whoami",
         .tagged_v = true,
         .entrypoint = WORDS("/whoami"),
         .size = 2600000,
         .tools = "none whoami-server",
         .port = 80,
         .start = 50 * KT_MS,
         .memory = 4 MIB},
        {.name = "kicbase/echo-server",
         .entrypoint = WORDS("/bin/echo-server"),
         .size = 2100000,
         .tools = "none echo-server",
         .port = 8080,
         .start = 50 * KT_MS,
         .memory = 4 MIB},
        {.name = "ealen/echo-server",
         .entrypoint = WORDS("/bin/echo-server"),
         .size = 40 MB,
         .tools = "busybox echo-server",
         .port = 80,
         .start = 300 * KT_MS,
         .memory = 30 MIB},
        {.name = "registry.k8s.io/echoserver",
         .entrypoint = WORDS("/bin/echo-server"),
         .size = 40 MB,
         .tools = "busybox debian echo-server",
         .port = 8080,
         .start = 300 * KT_MS,
         .memory = 10 MIB},
        {.name = "registry.k8s.io/hpa-example",
         .command = WORDS("apache2-foreground"),
         .size = 170 MB,
         .tools = "busybox debian curl hpa-example",
         .port = 80,
         .start = 300 * KT_MS,
         .work = 50 * KT_MS,
         .memory = 12 MIB,
         .cpu_milli = 1},
        {.name = "python",
         .tag = "alpine",
         .newest_major = 3,
         .newest_minor = 14,
         .command = WORDS("python3"),
         .size = 17 MB,
         .tools = "busybox alpine python",
         .files = work_files,
         .memory = 8 MIB,
         .stop_signal_exit = -1},
        {.name = "python",
         .newest_major = 3,
         .newest_minor = 14,
         .command = WORDS("python3"),
         .size = 370 MB,
         .tools = "busybox debian python",
         .files = work_files,
         .memory = 9 MIB,
         .stop_signal_exit = -1},
        {.name = "node",
         .newest_major = 24,
         .entrypoint = WORDS("docker-entrypoint.sh"),
         .command = WORDS("node"),
         .size = 390 MB,
         .tools = "busybox debian curl node",
         .files = work_files,
         .memory = 40 MIB,
         .stop_signal_exit = -1},
        {.name = "golang",
         .newest_major = 1,
         .newest_minor = 25,
         .command = WORDS("bash"),
         .working_dir = "/go",
         .size = 300 MB,
         .tools = "busybox debian curl",
         .memory = 1 MIB,
         .stop_signal_exit = -1},
        {.name = "fluent/fluentd",
         .tagged_v = true,
         .command = WORDS("fluentd"),
         .size = 25 MB,
         .tools = "busybox daemon",
         .port = 24224,
         .start = 2 * KT_SEC,
         .memory = 45 MIB,
         .cpu_milli = 2},
        {.name = "quay.io/fluentd_elasticsearch/fluentd",
         .tagged_v = true,
         .command = WORDS("fluentd"),
         .size = 50 MB,
         .tools = "busybox debian daemon",
         .port = 24224,
         .start = 2 * KT_SEC,
         .memory = 60 MIB,
         .cpu_milli = 2},
        {.name = "fluent/fluent-bit",
         .command = WORDS("fluent-bit"),
         .size = 30 MB,
         .tools = "none daemon",
         .port = 2020,
         .start = KT_SEC,
         .memory = 12 MIB,
         .cpu_milli = 1},
        {.name = "prom/prometheus",
         .tagged_v = true,
         .newest_major = 3,
         .newest_minor = 5,
         .entrypoint = WORDS("/bin/prometheus"),
         .user = "nobody",
         .size = 110 MB,
         .tools = "busybox daemon",
         .files = prometheus_files,
         .port = 9090,
         .start = KT_SEC,
         .memory = 60 MIB,
         .cpu_milli = 5},
        {.name = "prom/node-exporter",
         .tagged_v = true,
         .entrypoint = WORDS("/bin/node_exporter"),
         .user = "nobody",
         .size = 12 MB,
         .tools = "busybox daemon",
         .port = 9100,
         .start = 200 * KT_MS,
         .memory = 12 MIB,
         .cpu_milli = 1},
        {.name = "grafana/grafana",
         .newest_major = 12,
         .newest_minor = 1,
         .entrypoint = WORDS("/run.sh"),
         .user = "472",
         .size = 170 MB,
         .tools = "busybox alpine curl daemon",
         .port = 3000,
         .start = 4 * KT_SEC,
         .memory = 90 MIB,
         .cpu_milli = 3},
        {.name = "registry.k8s.io/coredns/coredns",
         .tagged_v = true,
         .entrypoint = WORDS("/coredns"),
         .size = 20 MB,
         .tools = "none coredns",
         .port = 53,
         .start = 300 * KT_MS,
         .memory = 14 MIB,
         .cpu_milli = 2},
        {.name = "registry.k8s.io/kube-proxy",
         .tagged_v = true,
         .entrypoint = WORDS("/usr/local/bin/kube-proxy"),
         .size = 30 MB,
         .tools = "none daemon",
         .start = 300 * KT_MS,
         .memory = 18 MIB,
         .cpu_milli = 1},
        {.name = "registry.k8s.io/metrics-server/metrics-server",
         .tagged_v = true,
         .entrypoint = WORDS("/metrics-server"),
         .size = 20 MB,
         .tools = "none daemon",
         .port = 10250,
         .start = KT_SEC,
         .memory = 20 MIB,
         .cpu_milli = 3},
        {.name = "registry.k8s.io/ingress-nginx/controller",
         .tagged_v = true,
         .entrypoint = WORDS("/nginx-ingress-controller"),
         .size = 110 MB,
         .tools = "busybox daemon",
         .port = 80,
         .start = 2 * KT_SEC,
         .memory = 90 MIB,
         .cpu_milli = 2},
        {.name = "bitnami/kubectl",
         .entrypoint = WORDS("kubectl"),
         .command = WORDS("--help"),
         .user = "1001",
         .size = 100 MB,
         .tools = "busybox debian curl kubectl",
         .memory = 12 MIB,
         .stop_signal_exit = -1},
        {.name = "gcr.io/google-samples/hello-app",
         .newest_major = 2,
         .newest_minor = 0,
         .entrypoint = WORDS("./hello-app"),
         .size = 11 MB,
         .tools = "none hello-app",
         .port = 8080,
         .start = 100 * KT_MS,
         .memory = 4 MIB},
        {.name = "us-docker.pkg.dev/google-samples/containers/gke/hello-app",
         .newest_major = 2,
         .entrypoint = WORDS("./hello-app"),
         .size = 11 MB,
         .tools = "none hello-app",
         .port = 8080,
         .start = 100 * KT_MS,
         .memory = 4 MIB},
        {.name = "gcr.io/google-samples/node-hello",
         .command = WORDS("server"),
         .size = 260 MB,
         .tools = "busybox debian hello-node",
         .port = 8080,
         .start = 500 * KT_MS,
         .memory = 30 MIB},
        {.name = "gcr.io/google-samples/kubernetes-bootcamp",
         .tagged_v = true,
         .command = WORDS("server"),
         .size = 80 MB,
         .tools = "busybox debian curl bootcamp",
         .port = 8080,
         .start = 400 * KT_MS,
         .memory = 20 MIB},
        {.name = "jocatalin/kubernetes-bootcamp",
         .tagged_v = true,
         .command = WORDS("server"),
         .size = 80 MB,
         .tools = "busybox debian curl bootcamp",
         .port = 8080,
         .start = 400 * KT_MS,
         .memory = 20 MIB},
        {.name = "gcr.io/google_samples/gb-redis-follower",
         .command = WORDS("redis-server"),
         .size = 50 MB,
         .tools = "busybox debian redis",
         .port = 6379,
         .start = 300 * KT_MS,
         .memory = 5 MIB},
        {.name = "stefanprodan/podinfo",
         .newest_major = 6,
         .newest_minor = 9,
         .command = WORDS("./podinfo"),
         .user = "app",
         .size = 23 MB,
         .tools = "busybox alpine curl podinfo",
         .port = 9898,
         .start = 300 * KT_MS,
         .memory = 18 MIB,
         .cpu_milli = 1},
        {.name = "ghcr.io/stefanprodan/podinfo",
         .newest_major = 6,
         .newest_minor = 9,
         .command = WORDS("./podinfo"),
         .user = "app",
         .size = 23 MB,
         .tools = "busybox alpine curl podinfo",
         .port = 9898,
         .start = 300 * KT_MS,
         .memory = 18 MIB,
         .cpu_milli = 1},
        {.name = "polinux/stress",
         .command = WORDS("stress"),
         .size = 4 MB,
         .tools = "busybox alpine stress",
         .memory = 700 << 10,
         .stop_signal_exit = 0},
        {.name = "vish/stress",
         .entrypoint = WORDS("/stress"),
         .size = 4 MB,
         .tools = "none stress",
         .memory = 2 MIB},
        {.name = "alexeiled/stress-ng",
         .entrypoint = WORDS("/stress-ng"),
         .command = WORDS("--help"),
         .size = 4 MB,
         .tools = "none stress",
         .memory = 2 MIB},
        {.name = "wordpress",
         .newest_major = 6,
         .newest_minor = 8,
         .entrypoint = WORDS("docker-entrypoint.sh"),
         .command = WORDS("apache2-foreground"),
         .size = 250 MB,
         .tools = "busybox debian curl generic-server",
         .port = 80,
         .start = KT_SEC,
         .memory = 60 MIB},
        {.name = "tomcat",
         .newest_major = 11,
         .newest_minor = 0,
         .command = WORDS("catalina.sh", "run"),
         .size = 200 MB,
         .tools = "busybox debian curl generic-server",
         .port = 8080,
         .start = 3 * KT_SEC,
         .memory = 140 MIB},
        {.name = "jenkins/jenkins",
         .command = WORDS("jenkins.sh"),
         .size = 280 MB,
         .tools = "busybox debian curl generic-server",
         .port = 8080,
         .start = 20 * KT_SEC,
         .memory = 400 MIB},
        {.name = "haproxy",
         .newest_major = 3,
         .newest_minor = 2,
         .entrypoint = WORDS("docker-entrypoint.sh"),
         .command = WORDS("haproxy"),
         .size = 40 MB,
         .tools = "busybox debian generic-server",
         .port = 80,
         .start = 200 * KT_MS,
         .memory = 20 MIB},
        {.name = "envoyproxy/envoy",
         .command = WORDS("envoy"),
         .size = 60 MB,
         .tools = "busybox debian generic-server",
         .port = 10000,
         .start = 500 * KT_MS,
         .memory = 30 MIB},
        {.name = "traefik",
         .tagged_v = true,
         .newest_major = 3,
         .newest_minor = 5,
         .entrypoint = WORDS("/entrypoint.sh"),
         .command = WORDS("traefik"),
         .size = 45 MB,
         .tools = "busybox generic-server",
         .port = 80,
         .start = 500 * KT_MS,
         .memory = 30 MIB},
        {.name = "caddy",
         .newest_major = 2,
         .newest_minor = 10,
         .command = WORDS("caddy", "run"),
         .size = 20 MB,
         .tools = "busybox alpine generic-server",
         .port = 80,
         .start = 200 * KT_MS,
         .memory = 14 MIB},
        {.name = "hello-world",
         .command = WORDS("/hello"),
         .size = 10000,
         .tools = "none hello",
         .memory = 300 << 10},
        {.name = "elasticsearch",
         .newest_major = 9,
         .newest_minor = 1,
         .command = WORDS("eswrapper"),
         .size = 650 MB,
         .tools = "busybox debian curl generic-server",
         .port = 9200,
         .start = 15 * KT_SEC,
         .memory = 900 MIB},
        {.name = "cassandra",
         .newest_major = 5,
         .newest_minor = 0,
         .command = WORDS("cassandra"),
         .size = 150 MB,
         .tools = "busybox debian generic-server",
         .port = 9042,
         .start = 20 * KT_SEC,
         .memory = 800 MIB},
        {.name = "zookeeper",
         .newest_major = 3,
         .newest_minor = 9,
         .command = WORDS("zkServer.sh", "start-foreground"),
         .size = 120 MB,
         .tools = "busybox debian generic-server",
         .port = 2181,
         .start = 3 * KT_SEC,
         .memory = 100 MIB},
        {.name = "nats",
         .newest_major = 2,
         .newest_minor = 11,
         .command = WORDS("nats-server"),
         .size = 8 MB,
         .tools = "none generic-server",
         .port = 4222,
         .start = 100 * KT_MS,
         .memory = 10 MIB},
        {.name = "registry",
         .newest_major = 3,
         .newest_minor = 0,
         .command = WORDS("registry", "serve"),
         .size = 15 MB,
         .tools = "busybox generic-server",
         .port = 5000,
         .start = 200 * KT_MS,
         .memory = 12 MIB},
/* applications of tutorials, told by what they answer */
#define SERVES(image_name, listens, kit)                                                                     \
	{                                                                                                    \
		.name = image_name, .command = WORDS("server"), .size = 60 MB,                               \
		.tools = kit " generic-server", .files = work_files, .port = listens, .start = 500 * KT_MS,  \
		.memory = 30 MIB, .cpu_milli = 1,                                                            \
	}
        SERVES("jmalloc/echo-server", 8080, "none"),
        SERVES("kennethreitz/httpbin", 80, "busybox debian python"),
        SERVES("mccutchen/go-httpbin", 8080, "none"),
        SERVES("nginxdemos/hello", 80, "busybox alpine curl"),
        SERVES("paulbouwer/hello-kubernetes", 8080, "busybox alpine"),
        SERVES("hashicorp/consul", 8500, "busybox alpine"),
        SERVES("hashicorp/vault", 8200, "busybox alpine"),
        SERVES("bitnami/nginx", 8080, "busybox debian curl"),
        SERVES("bitnami/postgresql", 5432, "busybox debian"),
        SERVES("bitnami/mysql", 3306, "busybox debian"),
        SERVES("bitnami/mongodb", 27017, "busybox debian"),
        SERVES("bitnami/redis", 6379, "busybox debian redis"),
        SERVES("bitnami/kafka", 9092, "busybox debian"),
        SERVES("bitnami/zookeeper", 2181, "busybox debian"),
        SERVES("bitnami/wordpress", 8080, "busybox debian"),
        SERVES("gcr.io/google-samples/gb-frontend", 80, "busybox debian curl"),
        SERVES("gcr.io/google_samples/gb-frontend", 80, "busybox debian curl"),
        SERVES("us-docker.pkg.dev/google-samples/containers/gke/gb-frontend", 80, "busybox debian curl"),
        SERVES("gcr.io/google-samples/cassandra", 9042, "busybox debian"),
        SERVES("gcr.io/google-samples/zone-printer", 80, "busybox debian"),
        SERVES("gcr.io/google-samples/whereami", 8080, "busybox debian"),
        SERVES("us-docker.pkg.dev/google-samples/containers/gke/whereami", 8080, "busybox debian"),
        SERVES("gcr.io/kuar-demo/kuard-amd64", 8080, "busybox"),
        SERVES("registry.k8s.io/e2e-test-images/httpd", 80, "busybox debian"),
        SERVES("registry.k8s.io/e2e-test-images/nautilus", 80, "none"),
        SERVES("registry.k8s.io/e2e-test-images/echoserver", 8080, "busybox debian"),
        SERVES("k8spatterns/random-generator", 8080, "busybox"),
        SERVES("fortio/fortio", 8080, "none"),
        SERVES("prom/alertmanager", 9093, "busybox"),
        SERVES("prom/pushgateway", 9091, "busybox"),
        SERVES("prom/blackbox-exporter", 9115, "busybox"),
        SERVES("quay.io/prometheus/prometheus", 9090, "busybox"),
        SERVES("quay.io/prometheus/node-exporter", 9100, "busybox"),
        SERVES("quay.io/prometheus/alertmanager", 9093, "busybox"),
        SERVES("registry.k8s.io/kube-state-metrics/kube-state-metrics", 8080, "none"),
        SERVES("grafana/loki", 3100, "busybox"),
        SERVES("grafana/promtail", 9080, "busybox debian"),
        SERVES("jaegertracing/all-in-one", 16686, "busybox alpine"),
        SERVES("docker.elastic.co/elasticsearch/elasticsearch", 9200, "busybox debian curl"),
        SERVES("docker.elastic.co/kibana/kibana", 5601, "busybox debian curl"),
        SERVES("minio/minio", 9000, "busybox"),
        SERVES("phpmyadmin", 80, "busybox debian"),
        SERVES("phpmyadmin/phpmyadmin", 80, "busybox debian"),
        SERVES("adminer", 8080, "busybox alpine"),
        SERVES("mongo-express", 8081, "busybox alpine"),
        SERVES("ghost", 2368, "busybox debian node"),
        SERVES("drupal", 80, "busybox debian"),
        SERVES("joomla", 80, "busybox debian"),
        SERVES("nextcloud", 80, "busybox debian"),
        SERVES("redmine", 3000, "busybox debian"),
        SERVES("sonarqube", 9000, "busybox debian"),
        SERVES("influxdb", 8086, "busybox debian curl"),
        SERVES("couchdb", 5984, "busybox debian curl"),
        SERVES("kong", 8000, "busybox debian"),
        SERVES("php", 80, "busybox debian curl"),
        SERVES("jetty", 8080, "busybox debian"),
        SERVES("docker", 2375, "busybox alpine"),
        SERVES("eclipse-mosquitto", 1883, "busybox alpine"),
        SERVES("solr", 8983, "busybox debian"),
        SERVES("neo4j", 7474, "busybox debian"),
        SERVES("vault", 8200, "busybox alpine"),
        SERVES("consul", 8500, "busybox alpine"),
/* systems and tools without a server */
#define HOLDS(image_name, kit)                                                                               \
	{                                                                                                    \
		.name = image_name, .command = WORDS("/bin/sh"), .size = 80 MB, .tools = kit,                \
		.memory = 1 MIB, .stop_signal_exit = -1,                                                     \
	}
        HOLDS("rockylinux", "busybox debian curl"),
        HOLDS("almalinux", "busybox debian curl"),
        HOLDS("amazonlinux", "busybox debian curl"),
        HOLDS("openjdk", "busybox debian"),
        HOLDS("eclipse-temurin", "busybox debian curl"),
        HOLDS("maven", "busybox debian curl"),
        HOLDS("gradle", "busybox debian curl"),
        HOLDS("ruby", "busybox debian curl"),
        HOLDS("rust", "busybox debian curl"),
        HOLDS("gcc", "busybox debian curl"),
        HOLDS("buildpack-deps", "busybox debian curl"),
        HOLDS("alpine/git", "busybox alpine"),
        HOLDS("alpine/curl", "busybox alpine curl"),
        HOLDS("alpine/k8s", "busybox alpine curl bash kubectl"),
        HOLDS("rancher/kubectl", "none kubectl"),
        HOLDS("registry.k8s.io/kubectl", "none kubectl"),
        HOLDS("lachlanevenson/k8s-kubectl", "busybox alpine kubectl"),
        HOLDS("dtzar/helm-kubectl", "busybox alpine curl bash kubectl"),
        HOLDS("tutum/dnsutils", "busybox debian netshoot"),
        HOLDS("infoblox/dnstools", "busybox alpine curl netshoot"),
        HOLDS("gcr.io/kubernetes-e2e-test-images/dnsutils", "busybox debian netshoot"),
        HOLDS("williamyeh/hey", "none"),
        HOLDS("rakyll/hey", "none"),
        HOLDS("mcr.microsoft.com/dotnet/aspnet", "busybox debian"),
        HOLDS("amazon/aws-cli", "busybox debian"),
        HOLDS("gcr.io/google-samples/xtrabackup", "busybox debian"),
        HOLDS("gcr.io/distroless/static", "none"),
        HOLDS("gcr.io/distroless/static-debian12", "none"),
        HOLDS("gcr.io/distroless/base", "none"),
};
/* Words of tags that are not versions. */
static const char *const tag_words[] = {"latest",
                                        "stable",
                                        "mainline",
                                        "alpine",
                                        "slim",
                                        "bookworm",
                                        "bullseye",
                                        "trixie",
                                        "jammy",
                                        "noble",
                                        "focal",
                                        "edge",
                                        "musl",
                                        "glibc",
                                        "lts",
                                        "perl",
                                        "unprivileged",
                                        "debian",
                                        "main",
                                        "master",
                                        "current",
                                        "buster",
                                        "stretch",
                                        "uclibc",
                                        "otel",
                                        "management",
                                        "fpm",
                                        "apache",
                                        "rc",
                                        "alpine-slim",
                                        "windowsservercore"};
/* The registries that there are; another host has no address. */
static const char *const registries[] = {
        "docker.io", "index.docker.io", "registry.k8s.io",   "k8s.gcr.io",    "gcr.io",           "ghcr.io",
        "quay.io",   "public.ecr.aws",  "mcr.microsoft.com", "mirror.gcr.io", "us-docker.pkg.dev"};

struct reference {
	char registry[128], repository[256], tag[160]; /* tag: without ':'; of a digest "sha256:…" */
	bool digest;
};

/* distribution/reference: domain, path of lowercase names, tag, digest. False with the words of the real
 * parser. */
static bool split_reference(const char *reference, struct reference *out, char **why)
{
	const char *rest = reference, *slash = strchr(reference, '/');
	*out = (struct reference){.registry = "docker.io", .tag = "latest"};
	if (slash && (size_t)(slash - reference) < sizeof(out->registry)) {
		size_t len = (size_t)(slash - reference);
		if (memchr(reference, '.', len) || memchr(reference, ':', len) ||
		    (len == 9 && !strncmp(reference, "localhost", 9))) {
			memcpy(out->registry, reference, len);
			out->registry[len] = '\0';
			rest = slash + 1;
		}
	}
	const char *at = strchr(rest, '@'), *end = rest + strlen(rest), *colon = NULL;
	if (at) {
		end = at;
		out->digest = true;
		if (strlen(at + 1) >= sizeof(out->tag))
			goto bad;
		memcpy(out->tag, at + 1, strlen(at + 1) + 1);
	}
	for (const char *c = rest; c < end; c++) {
		if (*c == ':')
			colon = c;
		else if (*c == '/')
			colon = NULL;
	}
	if (colon) {
		size_t len = (size_t)(end - colon - 1);
		if (!len || len > 128 || !(isalnum((unsigned char)colon[1]) || colon[1] == '_'))
			goto bad;
		for (const char *c = colon + 1; c < end; c++) {
			if (!isalnum((unsigned char)*c) && !strchr("_.-", *c))
				goto bad;
		}
		if (!at) {
			memcpy(out->tag, colon + 1, len);
			out->tag[len] = '\0';
		}
		end = colon;
	}
	size_t len = (size_t)(end - rest);
	if (!len || len > 240)
		goto bad;
	bool library = kt_streq(out->registry, "docker.io") && !memchr(rest, '/', len);
	char *name = kt_strf("%s%.*s", library ? "library/" : "", (int)len, rest);
	bool upper = false, odd = false;
	for (const char *c = name; *c; c++) {
		upper = upper || isupper((unsigned char)*c);
		odd = odd || (!isalnum((unsigned char)*c) && !strchr("/._-", *c)) ||
		      (strchr("/._-", *c) && (c == name || !c[1] || (c[1] == '/' && *c == '/')));
	}
	memcpy(out->repository, name, strlen(name) + 1);
	kt_free(name);
	if (odd)
		goto bad;
	if (upper) {
		if (why)
			*why = kt_strf("invalid reference format: repository name (%s) must be lowercase",
			               out->repository);
		return false;
	}
	return true;
bad:
	if (why)
		*why = kt_strdup("invalid reference format");
	return false;
}

char *image_full_name(const char *reference)
{
	struct reference ref;
	if (!split_reference(reference, &ref, NULL))
		return kt_strdup(reference);
	return kt_strf("%s/%s%s%s", ref.registry, ref.repository, ref.digest ? "@" : ":", ref.tag);
}

void image_id(const char *reference, char out[128])
{
	struct reference ref;
	unsigned char sum[32];
	char *full = image_full_name(reference);
	struct kt_buf text = {0};
	kt_sha256(full, strlen(full), sum);
	if (split_reference(reference, &ref, NULL)) {
		/* a very long name would not leave room for the digest */
		size_t space = 128 - 1 - strlen("@sha256:") - 64;
		char *name = kt_strf("%s/%s", ref.registry, ref.repository);
		kt_buf_add(&text, name, KT_MIN(strlen(name), space));
		kt_buf_addc(&text, '@');
		kt_free(name);
	}
	if (ref.digest && kt_starts(ref.tag, "sha256:") && strlen(ref.tag) == 71) {
		kt_buf_adds(&text, ref.tag);
	} else {
		kt_buf_adds(&text, "sha256:");
		kt_hex(sum, sizeof(sum), &text);
	}
	size_t len = KT_MIN(text.len, (size_t)127);
	memcpy(out, kt_buf_str(&text), len);
	out[len] = '\0';
	kt_buf_clear(&text);
	kt_free(full);
}

static bool is_word(const char *text, size_t len)
{
	size_t digits = len;
	while (digits && strchr("0123456789.", text[digits - 1]))
		digits--; /* alpine3.22 */
	for (size_t i = 0; i < KT_COUNT(tag_words); i++) {
		size_t n = strlen(tag_words[i]);
		if ((n == len || n == digits) && !strncmp(tag_words[i], text, n))
			return true;
	}
	return false;
}

/* "alpine3.22-slim": words only. */
static bool are_words(const char *text)
{
	size_t len;
	for (; *text; text += len + (text[len] == '-')) {
		len = strcspn(text, "-");
		if (!is_word(text, len))
			return false;
	}
	return true;
}

/* "1.27.5 1.28.1": of each minor version the last patch; those of other majors and minors do not exist. */
static bool is_listed(const char *versions, const unsigned part[3], unsigned n)
{
	const char *rest = versions;
	size_t len;
	for (const char *one; rest && (one = kt_split(&rest, ' ', &len));) {
		unsigned known[3] = {0}, i = 0;
		for (const char *c = one; i < 3; i++) {
			char *end;
			known[i] = (unsigned)strtoul(c, &end, 10);
			if (*end != '.' || end >= one + len) {
				i++;
				break;
			}
			c = end + 1;
		}
		if (part[0] == known[0] && (n < 2 || part[1] == known[1]) && (n < 3 || part[2] <= known[2]))
			return true;
	}
	return false;
}

/* "1.27.3-alpine": is there such a version? */
static bool tag_exists(const struct image *image, const char *tag)
{
	const char *at = tag;
	unsigned part[3] = {0}, n = 0;
	if (*at == 'v' && image->tagged_v)
		at++;
	if (!isdigit((unsigned char)*at))
		return are_words(tag);
	while (n < 3 && isdigit((unsigned char)*at)) {
		for (; isdigit((unsigned char)*at); at++)
			part[n] = part[n] > 100000000 ? part[n] : part[n] * 10 + (unsigned)(*at - '0');
		n++;
		if (*at == '.')
			at++;
		else
			break;
	}
	if (*at == '-' ? !are_words(at + 1) : *at != '\0')
		return false;
	if (image->versions)
		return is_listed(image->versions, part, n);
	if (!image->newest_major)
		return part[0] < 100 && part[1] < 100 && part[2] < 200;
	if (part[0] > image->newest_major)
		return false;
	if (n > 1 && part[0] == image->newest_major && image->newest_minor && part[1] > image->newest_minor)
		return false;
	return part[1] < 100 && part[2] < 200;
}

static const struct image *catalogue_find(const struct reference *ref, bool *known)
{
	char *name = NULL;
	const struct image *found = NULL;
	if (kt_streq(ref->registry, "docker.io") || kt_streq(ref->registry, "index.docker.io"))
		name = kt_strdup(kt_starts(ref->repository, "library/") ? ref->repository + 8
		                                                        : ref->repository);
	else if (kt_streq(ref->registry, "public.ecr.aws") && kt_starts(ref->repository, "docker/library/"))
		name = kt_strdup(ref->repository + 15);
	else if (kt_streq(ref->registry, "mirror.gcr.io") && kt_starts(ref->repository, "library/"))
		name = kt_strdup(ref->repository + 8);
	else if (kt_streq(ref->registry, "k8s.gcr.io"))
		name = kt_strf("registry.k8s.io/%s", ref->repository);
	else
		name = kt_strf("%s/%s", ref->registry, ref->repository);
	*known = false;
	for (size_t i = 0; i < KT_COUNT(images) && !found; i++) {
		if (!kt_streq(images[i].name, name))
			continue;
		*known = true;
		if (images[i].tag && !strstr(ref->tag, images[i].tag))
			continue;
		if (ref->digest || tag_exists(&images[i], ref->tag))
			found = &images[i];
	}
	kt_free(name);
	return found;
}

const struct image *image_find(struct cluster *cluster, const char *reference, char **why)
{
	struct reference ref;
	bool known;
	char *inner = NULL;
	if (!split_reference(reference, &ref, &inner)) {
		if (why)
			*why = kt_strf("Failed to apply default image tag \"%s\": couldn't parse image name "
			               "\"%s\": %s",
			               reference, reference, inner);
		kt_free(inner);
		return NULL;
	}
	const struct image *image = catalogue_find(&ref, &known);
	char *full = image_full_name(reference);
	bool disturbed = cluster && world_image_missing(cluster, full);
	if (image && !disturbed) {
		kt_free(full);
		return image;
	}
	bool reached = false;
	for (size_t i = 0; i < KT_COUNT(registries); i++)
		reached = reached || kt_streq(registries[i], ref.registry);
	if (why && !reached && !disturbed)
		*why = kt_strf("rpc error: code = Unknown desc = failed to pull and unpack image \"%s\": "
		               "failed to resolve "
		               "reference \"%s\": failed to do request: Head "
		               "\"https://%s/v2/%s/manifests/%s\": dial tcp: "
		               "lookup %s: no such host",
		               full, full, ref.registry, ref.repository, ref.tag, ref.registry);
	else if (why && !known && !disturbed)
		*why = kt_strf(
		        "rpc error: code = Unknown desc = failed to pull and unpack image \"%s\": failed to "
		        "resolve "
		        "reference \"%s\": pull access denied, repository does not exist or may require "
		        "authorization: server message: insufficient_scope: authorization failed",
		        full, full);
	else if (why)
		*why = kt_strf("rpc error: code = NotFound desc = failed to pull and unpack image \"%s\": "
		               "failed to resolve "
		               "reference \"%s\": %s: not found",
		               full, full, full);
	kt_free(full);
	return NULL;
}

bool image_has_tools(const struct image *image, const char *word)
{
	const char *rest = image->tools;
	size_t len;
	for (const char *piece; rest && (piece = kt_split(&rest, ' ', &len));) {
		if (strlen(word) == len && !strncmp(piece, word, len))
			return true;
	}
	return false;
}

bool image_is_busybox(const struct image *image)
{
	return image_has_tools(image, "busybox") && !image_has_tools(image, "debian");
}

const struct files_seed *image_base_files(const struct image *image)
{
	static const struct {
		const char *word;
		const struct files_seed *files;
	} rows[] = {{"debian", debian_base}, {"alpine", alpine_base}, {"busybox", busybox_base}};
	for (size_t i = 0; i < KT_COUNT(rows); i++) {
		if (image_has_tools(image, rows[i].word))
			return rows[i].files;
	}
	return NULL;
}
