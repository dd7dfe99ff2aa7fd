namespace PsyLite.Server;

/// <summary>Whose manners a route has; errors are told in the same.</summary>
internal enum Dialect
{
    OpenAi,
    Ollama,
    Pipelines,
}

/// <summary>Marks endpoints that a person's own page may call as well, with the session of its sign-in in place of a key.</summary>
internal sealed record TakesSession;

/// <summary>Marks endpoints that change the server for everybody: with accounts they are for admins.</summary>
internal sealed record OperatorsOnly;

/// <summary>Marks the endpoints of an API: they ask for the key, where there is one.</summary>
internal sealed record ApiSurface(Dialect Dialect)
{
    /// <summary>
    /// The surface of a request. An endpoint says so itself; the path decides only for requests that match none, which get an error
    /// in the right shape and nothing else.
    /// </summary>
    public static ApiSurface? Of(HttpContext http) => http.GetEndpoint()?.Metadata.GetMetadata<ApiSurface>() ?? Of(http.Request.Path);

    private static ApiSurface? Of(PathString path) => (path.Value ?? "").ToLowerInvariant().Split('/', StringSplitOptions.RemoveEmptyEntries) switch
    {
        ["api", ..] => new ApiSurface(Dialect.Ollama),
        ["pipelines", ..] or ["models"] or ["chat", "completions"] => new ApiSurface(Dialect.Pipelines),
        ["v1", "pipelines", ..] => new ApiSurface(Dialect.Pipelines),
        ["v1", _, ..] => new ApiSurface(Dialect.OpenAi),
        [_, "valves" or "filter", ..] => new ApiSurface(Dialect.Pipelines),
        _ => null,
    };
}
