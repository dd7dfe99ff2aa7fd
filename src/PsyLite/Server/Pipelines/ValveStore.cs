using System.Text.Json;
using System.Text.Json.Nodes;

namespace PsyLite.Server.Pipelines;

/// <summary>The settings of the model psylite for everyone who reaches it over the APIs: a snapshot that a turn keeps to its end.</summary>
/// <param name="Language">BCP 47 tag for preset texts; null lets the text decide.</param>
/// <param name="Region">Country whose help lines fit; null lets the text decide.</param>
/// <param name="Minors">Everyone who calls is under 18.</param>
internal sealed record PipeValves(bool Humour, string? Language, string? Region, bool Minors, bool ShowsReasoning, bool ShowsStatus);

/// <summary>The settings of the filter that stands before other models.</summary>
/// <param name="Models">Ids of the models it stands before, or * for every one; none turns it off.</param>
internal sealed record FilterValves(IReadOnlyList<string> Models, int Priority);

/// <summary>
/// Valves of the pipe and the filter, kept in a file. An update is checked whole and written whole; a file that cannot be read means the
/// defaults.
/// </summary>
internal sealed class ValveStore
{
    public const string PipeId = ServedModel.Id;
    public const string FilterId = "psylite_guard";

    private static readonly IReadOnlyList<Valve> Pipes =
    [
        new("humour", ValveKind.Flag, "true", "开心时附上一段折叠的相声 · offer a folded piece of crosstalk on good days"),
        new("language", ValveKind.Text, "\"auto\"", "危机与提示文本的语言 · language of prepared texts") { Choices = ["auto", "zh-CN", "zh-TW", "yue", "en"] },
        new("region", ValveKind.Text, "\"\"", "求助热线所属地区，如 CN、HK，留空自动判断 · country of the help lines, such as CN or HK; empty decides by the text"),
        new("minors", ValveKind.Flag, "false", "把所有使用者当作未成年人 · treat everyone as under 18"),
        new("show_reasoning", ValveKind.Flag, "true", "展示思考过程 · show the reasoning"),
        new("show_status", ValveKind.Flag, "true", "等待时显示状态 · show a status while waiting"),
    ];

    private static readonly IReadOnlyList<Valve> Filters =
    [
        new("pipelines", ValveKind.TextList, "[]", "守护哪些模型；[\"*\"] 为全部，留空为关闭 · models to stand before; [\"*\"] means all, empty turns the filter off"),
        new("priority", ValveKind.Whole, "0", "过滤器次序 · order among filters"),
    ];

    private readonly string _file;
    private readonly ILogger _logger;
    private readonly Lock _lock = new();
    private JsonObject _pipe;
    private JsonObject _filter;

    public ValveStore(string file, ILogger<ValveStore> logger)
    {
        (_file, _logger) = (file, logger);
        var kept = Read();
        (_pipe, _filter) = (Complete(Pipes, kept, PipeId), Complete(Filters, kept, FilterId));
    }

    public PipeValves Pipe
    {
        get
        {
            var valves = Values(PipeId)!;
            static string? Chosen(JsonNode? node) => (string?)node is { Length: > 0 } text && text != "auto" ? text : null;
            return new PipeValves(
                (bool)valves["humour"]!, Chosen(valves["language"]), Chosen(valves["region"]), (bool)valves["minors"]!,
                (bool)valves["show_reasoning"]!, (bool)valves["show_status"]!);
        }
    }

    public FilterValves Filter
    {
        get
        {
            var valves = Values(FilterId)!;
            return new FilterValves([.. valves["pipelines"]!.AsArray().Select(n => (string)n!)], (int)valves["priority"]!);
        }
    }

    /// <summary>The valves of this id; null for an unknown one.</summary>
    public JsonObject? Values(string id)
    {
        lock (_lock)
        {
            return (id switch { PipeId => _pipe, FilterId => _filter, _ => null })?.DeepClone().AsObject();
        }
    }

    /// <summary>Their JSON schema; null for an unknown id.</summary>
    public static JsonObject? Spec(string id) => Table(id) is not { } table ? null : new JsonObject
    {
        ["title"] = "Valves",
        ["type"] = "object",
        ["properties"] = new JsonObject(table.Select(v => KeyValuePair.Create(v.Name, (JsonNode?)v.Describe()))),
    };

    /// <summary>Takes a whole set of valves: what is missing goes back to its default.</summary>
    /// <exception cref="ApiException">A value is of the wrong kind, or the file cannot be written; the old values stay.</exception>
    public JsonObject? Update(string id, JsonElement update)
    {
        if (Table(id) is not { } table)
        {
            return null;
        }

        var valves = new JsonObject(table.Select(v => KeyValuePair.Create(v.Name, (JsonNode?)v.Read(update))));
        lock (_lock)
        {
            var (pipe, filter) = id == PipeId ? (valves, _filter) : (_pipe, valves);
            Write(new JsonObject { [PipeId] = pipe.DeepClone(), [FilterId] = filter.DeepClone() });
            (_pipe, _filter) = (pipe, filter);
        }

        return Values(id);
    }

    private static IReadOnlyList<Valve>? Table(string id) => id switch { PipeId => Pipes, FilterId => Filters, _ => null };

    private JsonObject Complete(IReadOnlyList<Valve> table, JsonElement kept, string id)
    {
        try
        {
            if (JsonBody.Object(kept, id) is { } values)
            {
                return new JsonObject(table.Select(v => KeyValuePair.Create(v.Name, (JsonNode?)v.Read(values))));
            }
        }
        catch (ApiException)
        {
            _logger.LogWarning("{File} holds valves of {Id} that do not fit: the defaults are used", _file, id);
        }

        return new JsonObject(table.Select(v => KeyValuePair.Create(v.Name, (JsonNode?)v.DefaultValue)));
    }

    private JsonElement Read()
    {
        try
        {
            if (File.Exists(_file))
            {
                return JsonBody.Parse(File.ReadAllBytes(_file));
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ApiException)
        {
            _logger.LogWarning("{File} cannot be read: the valves are at their defaults", _file);
        }

        return JsonSerializer.SerializeToElement(new JsonObject());
    }

    private void Write(JsonObject valves)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(_file))!);
            var partial = _file + ".partial";
            File.WriteAllText(partial, valves.ToJsonString(ApiBoundary.Json));
            File.Move(partial, _file, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ApiException(500, "valves_not_kept", "the valves could not be written; check the disk and PSYLITE_VALVES");
        }
    }
}
