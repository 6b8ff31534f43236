# ackd in a container. Debian 13 has glibc 2.41: the binaries of the WebSocket server for Node 22 and newer want 2.38.
FROM node:22-trixie-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc tsconfig.json tsconfig.build.json ./
RUN npm ci --ignore-scripts
COPY src ./src
RUN npm run build \
  && npm prune --omit=dev --ignore-scripts \
  # Only the binary of this machine is kept of the dozens that the WebSocket server comes with.
  && find node_modules/uWebSockets.js -name '*.node' \
    ! -name "uws_linux_$(node -p process.arch)_$(node -p process.versions.modules).node" -delete

FROM node:22-trixie-slim
ENV NODE_ENV=production ACKD_HOST=0.0.0.0 ACKD_DATA_DIR=/data
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 5000 2500 2501
# /readyz asks the store too. A server whose store is away should not be restarted, so that is not what is asked here.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:5000/healthz').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# The process itself gets SIGTERM, parks what it holds and ends by itself within 25 s.
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "dist/cli/main.js"]
CMD ["serve"]
