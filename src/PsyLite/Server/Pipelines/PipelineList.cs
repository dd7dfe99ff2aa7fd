using System.Text.Json.Nodes;

namespace PsyLite.Server.Pipelines;

/// <summary>
/// What is offered, as Open WebUI's pipelines and OpenAI's models at once. The key <c>pipelines</c> tells Open WebUI what it speaks to. The
/// filter is among the models only while it stands before some: clients that know nothing of filters would take it for one.
/// </summary>
internal sealed class PipelineList(ValveStore valves, TimeProvider time)
{
    public JsonObject Models()
    {
        var data = new JsonArray(Model());
        if (valves.Filter is { Models: { Count: > 0 } models, Priority: var priority })
        {
            var filter = Describe(ValveStore.FilterId, "PsyLite Guard", "filter");
            var pipeline = filter["pipeline"]!.AsObject();
            pipeline["pipelines"] = new JsonArray([.. models.Select(m => (JsonNode)m)]);
            pipeline["priority"] = priority;
            data.Add(filter);
        }

        return new JsonObject { ["object"] = "list", ["data"] = data, ["pipelines"] = true };
    }

    public JsonObject Model() => Describe(ServedModel.Id, "PsyLite", "pipe");

    public static JsonObject Pipelines() => new()
    {
        ["data"] = new JsonArray(
            new JsonObject { ["id"] = ValveStore.PipeId, ["name"] = "PsyLite", ["type"] = "pipe", ["valves"] = true },
            new JsonObject { ["id"] = ValveStore.FilterId, ["name"] = "PsyLite Guard", ["type"] = "filter", ["valves"] = true }),
    };

    /// <summary>The pipeline of an id, which may be that of a part of it (module.part) or carry the prefix of a connection; null for an unknown one.</summary>
    public static string? Resolve(string id)
    {
        foreach (var known in new[] { ValveStore.PipeId, ValveStore.FilterId })
        {
            if (id == known || id.StartsWith(known + ".", StringComparison.Ordinal) || id.EndsWith("." + known, StringComparison.Ordinal) || id == known + ":latest")
            {
                return known;
            }
        }

        return null;
    }

    private JsonObject Describe(string id, string name, string type) => new()
    {
        ["id"] = id,
        ["name"] = name,
        ["object"] = "model",
        ["created"] = time.GetUtcNow().ToUnixTimeSeconds(),
        ["owned_by"] = "psylite",
        ["pipeline"] = new JsonObject { ["type"] = type, ["valves"] = true },
    };
}
