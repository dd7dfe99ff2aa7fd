using System.Text.Json;

namespace PsyLite.Options;

/// <summary>
/// Where settings come from: environment variables, and under them one JSON file whose names are those of the variables in another spelling
/// (PSYLITE_MAX_TURNS is maxTurns, HF_TOKEN is hfToken). A name in the file that no setting has is refused, so that a slip of the pen does not
/// leave a default in force.
/// </summary>
internal sealed class SettingSource
{
    private const string FileVariable = "PSYLITE_CONFIG";
    private const string FileName = "psylite.json";
    private const int LongestFile = 1 << 20;

    /// <summary>What makes a file one that others may not read.</summary>
    private static readonly string[] Secrets = ["PSYLITE_API_KEY", "PSYLITE_ENDPOINT_KEY", "PSYLITE_JUDGE_KEY", "PSYLITE_SECOND_JUDGE_KEY", "PSYLITE_STORE_KEY", "HF_TOKEN"];
    private readonly Func<string, string?> _environment;
    private readonly IReadOnlyDictionary<string, string> _file;
    private readonly string _path;
    private readonly HashSet<string> _asked = [];

    internal SettingSource(Func<string, string?> environment, IReadOnlyDictionary<string, string> file, string path)
    {
        (_environment, _file, _path) = (environment, file, path);
    }

    /// <summary>The variables that were asked for so far.</summary>
    public IReadOnlySet<string> Asked => _asked;

    /// <summary>The environment of this process and the file that PSYLITE_CONFIG names, or psylite.json in the data folder if there is one.</summary>
    /// <exception cref="InvalidDataException">The file is none of settings.</exception>
    public static SettingSource OfProcess()
    {
        var named = Environment.GetEnvironmentVariable(FileVariable) is { Length: > 0 } given ? given : null;
        var path = named ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "psylite", FileName);
        if (named is not null && !File.Exists(named))
        {
            throw new InvalidDataException($"{FileVariable}: there is no file {named}.");
        }

        var file = File.Exists(path) ? ReadFile(path) : new Dictionary<string, string>();
        return new SettingSource(Environment.GetEnvironmentVariable, file, path);
    }

    /// <summary>Name of a variable in the file.</summary>
    public static string NameInFile(string variable)
    {
        var words = (variable.StartsWith("PSYLITE_", StringComparison.Ordinal) ? variable["PSYLITE_".Length..] : variable).ToLowerInvariant().Split('_');
        return words[0] + string.Concat(words.Skip(1).Select(w => char.ToUpperInvariant(w[0]) + w[1..]));
    }

    /// <summary>The settings of a file's text, each as the text that its variable would have.</summary>
    /// <exception cref="InvalidDataException">It is no JSON object of texts, numbers, switches and lists of texts.</exception>
    public static IReadOnlyDictionary<string, string> Parse(ReadOnlyMemory<byte> json, string path)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, MaxDepth = 4, AllowDuplicateProperties = false });
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? document.RootElement.EnumerateObject().ToDictionary(p => p.Name, p => TextOf(p.Value) ?? throw new InvalidDataException($"{path}: {p.Name} must be a text, a number, true, false or a list of texts."))
                : throw new InvalidDataException($"{path} must hold one JSON object, such as {{\"urls\": \"http://127.0.0.1:8080\"}}.");
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException($"{path} is not valid JSON ({fault.Message.ReplaceLineEndings(" ")}).", fault);
        }
    }

    public string? Text(string variable)
    {
        _asked.Add(variable);
        return _environment(variable) is { Length: > 0 } text ? text
            : _file.GetValueOrDefault(NameInFile(variable)) is { Length: > 0 } written ? written
            : null;
    }

    public int? Number(string variable, int least) => Text(variable) is not { } text
        ? null
        : int.TryParse(text, out var number) && number >= least
            ? number
            : throw new InvalidDataException($"{variable}={text} is not a whole number of at least {least}.");

    /// <summary>False where it is not set.</summary>
    public bool Switch(string variable) => Text(variable)?.ToLowerInvariant() switch
    {
        null or "off" or "false" or "0" => false,
        "on" or "true" or "1" => true,
        var other => throw new InvalidDataException($"{variable}={other} is neither on nor off."),
    };

    /// <exception cref="InvalidDataException">The file has a name that nobody asked for.</exception>
    public void CheckNothingIsLeft()
    {
        var known = _asked.Select(NameInFile).ToHashSet();
        if (_file.Keys.FirstOrDefault(k => !known.Contains(k)) is { } unknown)
        {
            throw new InvalidDataException($"{_path}: there is no setting {unknown}; docs/settings.md lists them.");
        }
    }

    private static IReadOnlyDictionary<string, string> ReadFile(string path)
    {
        if (new FileInfo(path).Length > LongestFile)
        {
            throw new InvalidDataException($"{path} is larger than a file of settings can be.");
        }

        var settings = Parse(File.ReadAllBytes(path), path);
        const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.OtherRead;
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & Others) != 0 && Secrets.Select(NameInFile).FirstOrDefault(settings.ContainsKey) is { } secret)
        {
            throw new InvalidDataException($"{path} holds {secret} and others can read it: chmod 600 {path}");
        }

        return settings;
    }

    private static string? TextOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number => value.GetRawText(),
        JsonValueKind.True => "on",
        JsonValueKind.False => "off",
        JsonValueKind.Null => "",
        JsonValueKind.Array when value.EnumerateArray().All(e => e.ValueKind == JsonValueKind.String) => string.Join(',', value.EnumerateArray().Select(e => e.GetString())),
        _ => null,
    };
}
