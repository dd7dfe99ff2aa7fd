using System.Net;

namespace PsyLite.Options;

/// <summary>What computes the replies.</summary>
internal enum EngineKind
{
    /// <summary>llama.cpp in this process.</summary>
    Llama,

    /// <summary>An endpoint that speaks OpenAI's protocol.</summary>
    OpenAi,

    /// <summary>An endpoint that speaks Ollama's.</summary>
    Ollama,
}

/// <summary>
/// Everything that can be set from outside, read once at start. Flags win over environment variables, these over the file of settings, and that
/// over defaults. docs/settings.md lists them all.
/// </summary>
internal sealed record AppOptions
{
    /// <summary>Addresses to listen on, separated by semicolons. Environment: PSYLITE_URLS.</summary>
    public string Urls { get; init; } = "http://127.0.0.1:8080";

    /// <summary>
    /// GGUF file to converse with, or the name of a pulled model; null is the built-in demonstration model. For an engine elsewhere the name
    /// to ask for; null is the first it lists. Environment: PSYLITE_MODEL.
    /// </summary>
    public string? Model { get; init; }

    /// <summary>LoRA adapters that are added to the model at run time, with their scales. Environment: PSYLITE_LORA, each FILE or FILE:SCALE, separated by commas.</summary>
    public IReadOnlyList<(string Path, float Scale)> Lora { get; init; } = [];

    /// <summary>What computes the replies. Environment: PSYLITE_ENGINE, llama, openai or ollama.</summary>
    public EngineKind Engine { get; init; } = EngineKind.Llama;

    /// <summary>Where an engine elsewhere is. Environment: PSYLITE_ENDPOINTS, separated by commas.</summary>
    public IReadOnlyList<Uri> Endpoints { get; init; } = [];

    /// <summary>Bearer key for the endpoints. Environment: PSYLITE_ENDPOINT_KEY.</summary>
    public string? EndpointKey { get; init; }

    /// <summary>Bearer key for a judge elsewhere, in evaluations. Environment: PSYLITE_JUDGE_KEY.</summary>
    public string? JudgeKey { get; init; }

    /// <summary>Bearer key for a second judge at another host. Environment: PSYLITE_SECOND_JUDGE_KEY.</summary>
    public string? SecondJudgeKey { get; init; }

    /// <summary>Bearer key that every API path then asks for. Environment: PSYLITE_API_KEY.</summary>
    public string? ApiKey { get; init; }

    /// <summary>Most tokens of context; a model trained for fewer gets those. Environment: PSYLITE_CONTEXT.</summary>
    public int Context { get; init; } = 4096;

    /// <summary>Bytes that the program may take; room for more conversations grows into what the model leaves. Null is 5 GB. Environment: PSYLITE_MEMORY_MB.</summary>
    public long? Memory { get; init; }

    /// <summary>
    /// Where computed conversations outlive memory and restarts, encrypted; null keeps them in memory only. Environment:
    /// PSYLITE_CACHE, a folder or "off", the default: the page promises that a temporary conversation never touches the disk, and says otherwise when this is set.
    /// </summary>
    public string? Cache { get; init; }

    /// <summary>Most bytes of that folder. Environment: PSYLITE_CACHE_MB.</summary>
    public long CacheBytes { get; init; } = 4L << 30;

    /// <summary>Threads of the engine; 0 lets the engine choose. Environment: PSYLITE_THREADS.</summary>
    public int Threads { get; init; }

    /// <summary>Folder of crosstalk pieces. Environment: PSYLITE_CROSSTALK.</summary>
    public string Crosstalk { get; init; } = Path.Combine(AppContext.BaseDirectory, "corpora", "crosstalk");

    /// <summary>Index of the pieces that an operator imported. Environment: PSYLITE_CROSSTALK_INDEX.</summary>
    public string CrosstalkIndex { get; init; } =
        Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "psylite", "crosstalk.db");

    /// <summary>Embedding model, a GGUF file or the name of a pulled one; null leaves retrieval to words. Environment: PSYLITE_EMBEDDER.</summary>
    public string? Embedder { get; init; }

    /// <summary>Host names that requests may name, for a proxy in front; this machine's own always may. Environment: PSYLITE_HOSTS, separated by semicolons.</summary>
    public IReadOnlyList<string> Hosts { get; init; } = [];

    /// <summary>People sign in, and conversations belong to their accounts. Environment: PSYLITE_ACCOUNTS, on or off.</summary>
    public bool Accounts { get; init; }

    /// <summary>Certificate of the server with its chain, as PEM; null speaks plain HTTP. Environment: PSYLITE_CERTIFICATE.</summary>
    public string? Certificate { get; init; }

    /// <summary>Private key of the certificate, as PEM; null where it is in the same file. Environment: PSYLITE_CERTIFICATE_KEY.</summary>
    public string? CertificateKey { get; init; }

    /// <summary>
    /// Addresses or networks of the proxies in front: they alone may connect from beyond this machine, and what they say of their callers is
    /// believed. Environment: PSYLITE_PROXY, separated by commas.
    /// </summary>
    public IReadOnlyList<IPNetwork> Proxies { get; init; } = [];

    /// <summary>The counsellors' console is there on this machine without accounts too. Environment: PSYLITE_CONSOLE, on or off.</summary>
    public bool Console { get; init; }

    /// <summary>Where pulled models are kept. Environment: PSYLITE_MODELS.</summary>
    public string Models { get; init; } =
        Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "psylite", "models");

    /// <summary>Takes the place of the registry or hub that models are pulled from. Environment: PSYLITE_MIRROR.</summary>
    public string? Mirror { get; init; }

    /// <summary>Address of HuggingFace or of what stands in for it. Environment: HF_ENDPOINT.</summary>
    public string HuggingFace { get; init; } = "https://huggingface.co";

    /// <summary>Access to private or gated repositories of HuggingFace. Environment: HF_TOKEN.</summary>
    public string? HuggingFaceToken { get; init; }

    /// <summary>
    /// Where conversations are kept: a SQLite file, or a PostgreSQL server as a connection string or a postgresql:// address. Environment: PSYLITE_STORE.
    /// </summary>
    public string Store { get; init; } =
        Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "psylite", "psylite.db");

    /// <summary>
    /// Master keys of the store, each 32 bytes in base64, separated by commas, the one in force first; null keeps one in a file. Environment: PSYLITE_STORE_KEY.
    /// </summary>
    public string? StoreKey { get; init; }

    /// <summary>File of the master key; null is the file beside the database. Environment: PSYLITE_STORE_KEY_FILE.</summary>
    public string? StoreKeyFile { get; init; }

    /// <summary>Days that a conversation is kept after its last message; 0 keeps it. Environment: PSYLITE_RETENTION_DAYS.</summary>
    public int RetentionDays { get; init; } = 30;

    /// <summary>Turns over the APIs that may run or wait at once; more are asked to come again. Environment: PSYLITE_MAX_TURNS.</summary>
    public int MaxTurns { get; init; } = 256;

    /// <summary>API requests that one caller may make in a minute. Environment: PSYLITE_REQUESTS_PER_MINUTE.</summary>
    public int RequestsPerMinute { get; init; } = 600;

    /// <summary>Where the valves that Open WebUI sets are kept. Environment: PSYLITE_VALVES.</summary>
    public string Valves { get; init; } =
        Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "psylite", "valves.json");

    /// <summary>Log lines as JSON instead of text. Environment: PSYLITE_LOG=json.</summary>
    public bool JsonLog { get; init; }

    /// <summary>Address that takes traces by OTLP over HTTP; null sends none. Environment: PSYLITE_TRACES.</summary>
    public string? Traces { get; init; }

    /// <summary>The model that comes with the program.</summary>
    public static string BuiltInModel { get; } = Path.Combine(AppContext.BaseDirectory, "models", "psylite-mini", "psylite-mini.q4_k_m.gguf");

    /// <summary>Hosts beyond this machine that conversations are sent to; null when they stay here.</summary>
    public string? SentTo => Endpoints.Where(e => !e.IsLoopback).Select(e => e.Authority).ToList() is { Count: > 0 } hosts ? string.Join(", ", hosts) : null;

    /// <summary>One line that says where conversations go; null when this process computes the replies.</summary>
    public string? SendingNotice => Endpoints.Count == 0 ? null
        : $"对话会发送到 · conversations are sent to {string.Join(", ", Endpoints.Select(e => e.Authority))}"
            + (Endpoints.Any(e => !e.IsLoopback && e.Scheme == "http") ? "（未加密 not encrypted）" : "");

    /// <summary>Names under which requests may come in besides this machine's own: those that were set, and that of the address itself.</summary>
    public IReadOnlyList<string> KnownHosts =>
        [.. Hosts, .. Urls.Split(';').Select(u => Uri.TryCreate(u.Trim(), UriKind.Absolute, out var uri) ? uri.Host : "").Where(h => h is not ("" or "0.0.0.0" or "[::]"))];

    public string ModelPath => Model ?? BuiltInModel;

    public bool IsBuiltInModel => Engine == EngineKind.Llama && (Model is null || Path.GetFullPath(Model) == Path.GetFullPath(BuiltInModel));

    /// <exception cref="InvalidDataException">A variable does not hold what it should; the message names it.</exception>
    public static AppOptions FromEnvironment() => Read(SettingSource.OfProcess());

    /// <exception cref="InvalidDataException">A setting does not hold what it should; the message names it.</exception>
    internal static AppOptions Read(SettingSource source)
    {
        var defaults = new AppOptions();
        var options = new AppOptions
        {
            Urls = source.Text("PSYLITE_URLS")?.Replace(',', ';') ?? defaults.Urls,
            Model = source.Text("PSYLITE_MODEL"),
            Lora = source.Text("PSYLITE_LORA") is { } adapters ? [.. adapters.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(LoraOf)] : [],
            Engine = EngineOf(source.Text("PSYLITE_ENGINE"), "PSYLITE_ENGINE") ?? defaults.Engine,
            Endpoints = EndpointsOf(source.Text("PSYLITE_ENDPOINTS"), "PSYLITE_ENDPOINTS") ?? [],
            EndpointKey = source.Text("PSYLITE_ENDPOINT_KEY"),
            JudgeKey = source.Text("PSYLITE_JUDGE_KEY"),
            SecondJudgeKey = source.Text("PSYLITE_SECOND_JUDGE_KEY"),
            ApiKey = source.Text("PSYLITE_API_KEY"),
            Context = source.Number("PSYLITE_CONTEXT", 256) ?? defaults.Context,
            Memory = source.Number("PSYLITE_MEMORY_MB", 1) is { } memory ? memory * 1_000_000L : null,
            Cache = source.Text("PSYLITE_CACHE") is { } cache && cache != "off" ? cache : null,
            CacheBytes = source.Number("PSYLITE_CACHE_MB", 1) is { } size ? size * 1_000_000L : defaults.CacheBytes,
            Threads = source.Number("PSYLITE_THREADS", 0) ?? defaults.Threads,
            Crosstalk = source.Text("PSYLITE_CROSSTALK") ?? defaults.Crosstalk,
            CrosstalkIndex = source.Text("PSYLITE_CROSSTALK_INDEX") ?? defaults.CrosstalkIndex,
            Models = source.Text("PSYLITE_MODELS") ?? defaults.Models,
            Mirror = source.Text("PSYLITE_MIRROR"),
            HuggingFace = source.Text("HF_ENDPOINT") ?? defaults.HuggingFace,
            HuggingFaceToken = source.Text("HF_TOKEN"),
            Embedder = source.Text("PSYLITE_EMBEDDER"),
            Store = source.Text("PSYLITE_STORE") ?? defaults.Store,
            StoreKey = source.Text("PSYLITE_STORE_KEY"),
            StoreKeyFile = source.Text("PSYLITE_STORE_KEY_FILE"),
            RetentionDays = source.Number("PSYLITE_RETENTION_DAYS", 0) ?? defaults.RetentionDays,
            MaxTurns = source.Number("PSYLITE_MAX_TURNS", 1) ?? defaults.MaxTurns,
            RequestsPerMinute = source.Number("PSYLITE_REQUESTS_PER_MINUTE", 1) ?? defaults.RequestsPerMinute,
            Valves = source.Text("PSYLITE_VALVES") ?? defaults.Valves,
            JsonLog = source.Text("PSYLITE_LOG") switch
            {
                null or "text" => false,
                "json" => true,
                var other => throw new InvalidDataException($"PSYLITE_LOG={other} is neither text nor json."),
            },
            Traces = source.Text("PSYLITE_TRACES") switch
            {
                null => null,
                var address when Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" => address,
                var other => throw new InvalidDataException($"PSYLITE_TRACES={other} is not an address; write it as http://127.0.0.1:4318."),
            },
            Hosts = source.Text("PSYLITE_HOSTS")?.Split([';', ','], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [],
            Accounts = source.Switch("PSYLITE_ACCOUNTS"),
            Certificate = source.Text("PSYLITE_CERTIFICATE"),
            CertificateKey = source.Text("PSYLITE_CERTIFICATE_KEY"),
            Proxies = Exposure.NetworksOf(source.Text("PSYLITE_PROXY"), "PSYLITE_PROXY"),
            Console = source.Switch("PSYLITE_CONSOLE"),
        };
        source.CheckNothingIsLeft();
        return options;
    }

    /// <summary>Refuses an engine elsewhere without an address, and an address without such an engine: where conversations go must be plain.</summary>
    /// <exception cref="InvalidDataException">One is missing.</exception>
    public AppOptions CheckEngine() => Engine != EngineKind.Llama && Lora.Count > 0
        ? throw new InvalidDataException("--lora adds to a model in this process; an engine elsewhere loads its own adapters.")
        : Engine == EngineKind.Llama == (Endpoints.Count == 0)
        ? this
        : throw new InvalidDataException(Endpoints.Count == 0
            ? $"--engine {Engine.ToString().ToLowerInvariant()} needs an address: --endpoint http://127.0.0.1:8000"
            : "--endpoint needs to know what is there: --engine openai or --engine ollama");

    /// <exception cref="InvalidDataException">There is no such engine.</exception>
    public static EngineKind? EngineOf(string? text, string source) => text?.ToLowerInvariant() switch
    {
        null or "" => null,
        "llama" => EngineKind.Llama,
        "openai" => EngineKind.OpenAi,
        "ollama" => EngineKind.Ollama,
        _ => throw new InvalidDataException($"{source} {text} is not an engine: choose llama, openai or ollama."),
    };

    /// <exception cref="InvalidDataException">One is not an http address.</exception>
    public static IReadOnlyList<Uri>? EndpointsOf(string? text, string source) => text is null or "" ? null
        : [.. text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(part =>
            Uri.TryCreate(part, UriKind.Absolute, out var address) && address.Scheme is "http" or "https" && address.UserInfo.Length == 0
                ? address
                : throw new InvalidDataException($"{source}: {part} is not an address; write it as http://127.0.0.1:8000, several separated by commas."))];

    /// <summary>FILE or FILE:SCALE.</summary>
    public static (string Path, float Scale) LoraOf(string text)
    {
        var colon = text.LastIndexOf(':');
        return colon > 0 && float.TryParse(text.AsSpan(colon + 1), System.Globalization.CultureInfo.InvariantCulture, out var scale) && float.IsFinite(scale) ? (text[..colon], scale) : (text, 1);
    }
}
