# The production image: docker build -t rendio .
# Simulators, the demo, the embedded PostgreSQL and all build tools stay out of it. It carries GPL binaries: see NOTICE.

# The release line with which the tests run, on Debian: the prebuilt media libraries need glibc. Set a digest to pin it.
ARG NODE_IMAGE=node:24-bookworm-slim

# --- stage 1: the package ---------------------------------------------------------------------------------------------
# Named, because the last stage copies from the one after it.
FROM ${NODE_IMAGE} AS sources
# All relative paths of this stage.
WORKDIR /sources
# First what decides about dependencies: while it stays the same, the installation comes from the cache of layers.
COPY package.json package-lock.json .npmrc ./
# The workspace that package.json names: without its manifest npm ci refuses the lockfile.
COPY client/package.json client/
# Exactly the locked versions. No scripts yet: the sources that `prepare` builds are not here.
RUN npm ci --ignore-scripts
# The rest; .dockerignore leaves out data, secrets, tests and whatever was built before.
COPY . .
# Builds the pages, strips the types and writes dist/production: what `npm pack` makes, without what is for development alone.
RUN npm run package -- --production

# --- stage 2: its dependencies ----------------------------------------------------------------------------------------
# A clean start: no development dependency gets from stage 1 into the image.
FROM ${NODE_IMAGE} AS installed
# All relative paths of this stage.
WORKDIR /app
# The package with its manifest and its lockfile.
COPY --from=sources /sources/dist/production ./
# Exactly the locked versions. None of them needs its install script, so none runs.
RUN npm ci --ignore-scripts

# --- stage 3: the image -----------------------------------------------------------------------------------------------
# The same base, with nothing added by apt.
FROM ${NODE_IMAGE}
# Libraries leave out what helps developers.
ENV NODE_ENV=production
# What is missing or too weak is named at the start, and the server does not start; no vendor is simulated.
ENV ENVIRONMENT=production
# Inside a container loopback is of no use: the port is published by `docker run -p` or by compose.
ENV HOST=0.0.0.0
# The default, said here because EXPOSE repeats it.
ENV PORT=8787
# Temporary files, and videos where no bucket is configured. In the home folder, which belongs to the user below.
ENV DATA_DIR=/home/node/data
# Owned by root: the server cannot change its own code.
COPY --from=installed /app /app
# Not root: the ordinary user that the base image has.
USER node
# Relative paths of the operator's commands, such as `admin`; no .env is here, so variables come from the container alone.
WORKDIR /home/node
# Made here so that a new volume belongs to this user.
RUN mkdir data
# What is written survives the container.
VOLUME /home/node/data
# Documents the port; publishes nothing.
EXPOSE 8787
# Ready means: database, migrations and (where it runs) worker. Node asks, because the image has no curl.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/readyz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Without a shell in between: SIGTERM reaches the server, which drains. The first word after the image's name is the command.
ENTRYPOINT ["node", "/app/src/entry/rendio.js"]
# The default command; `worker`, `admin …` and `--help` are others.
CMD ["start"]
