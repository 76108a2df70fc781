// Stands in for query-core where its package can't be installed: as much of it as this story needs.
export class QueryClient {
  mount() {}
}

export class QueryObserver {
  constructor(client, options) {
    this.client = client;
    this.options = options;
  }

  subscribe(listener) {
    this.run(0).then(
      (data) => listener({ data, isError: false }),
      (error) => listener({ error, isError: true }),
    );
  }

  async run(failures) {
    try {
      return await this.options.queryFn();
    } catch (error) {
      if (failures >= this.options.retry) throw error;
      await new Promise((resolve) => setTimeout(resolve, this.options.retryDelay));
      return this.run(failures + 1);
    }
  }
}
