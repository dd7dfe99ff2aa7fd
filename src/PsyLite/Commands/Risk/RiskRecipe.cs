using System.Text.Json;

namespace PsyLite.Commands.Risk;

/// <summary>Settings of <c>psylite train risk</c>; file <c>recipes/risk.json</c>.</summary>
internal sealed record RiskRecipe
{
    private static readonly JsonSerializerOptions Format = new(JsonSerializerDefaults.Web) { UnmappedMemberHandling = System.Text.Json.Serialization.JsonUnmappedMemberHandling.Disallow };

    /// <summary>Folder of labelled messages.</summary>
    public string Data { get; init; } = "corpora/risk";

    /// <summary>Folder of the conversation text, in which nobody is in danger: ordinary troubles, small talk, joy and refused requests.</summary>
    public string Conversations { get; init; } = "corpora";

    /// <summary>Folder of labelled requests, harmful and not.</summary>
    public string Requests { get; init; } = "corpora/requests";

    public string Out { get; init; } = "src/PsyLite.Agent/Risk/Learned/risk-model.bin";

    public int Epochs { get; init; } = 8;

    public float LearningRate { get; init; } = 0.15f;

    public float Dropout { get; init; } = 0.3f;

    public float Decay { get; init; } = 1e-4f;

    /// <summary>A feature must occur in this many messages to be learned.</summary>
    public int LeastMessages { get; init; } = 2;

    /// <summary>Features kept in the file, those with the largest weights.</summary>
    public int Features { get; init; } = 80_000;

    public int Seed { get; init; } = 1;

    /// <summary>Models trained with seeds in a row, whose weights are averaged.</summary>
    public int Models { get; init; } = 3;

    /// <summary>Columns of the network beside the linear part; a multiple of 16.</summary>
    public int Width { get; init; } = 32;

    public int NetworkEpochs { get; init; } = 3;

    public float NetworkLearningRate { get; init; } = 2e-3f;

    public float NetworkDropout { get; init; } = 0.5f;

    /// <summary>Weight of a hopeless message (T1) as an example of "no danger": the border is soft there.</summary>
    public float BorderWeight { get; init; } = 0.3f;

    /// <summary>Weight of a line of the conversation corpus: there are many, and they are all of one make.</summary>
    public float ConversationWeight { get; init; } = 0.05f;

    /// <summary>Long harmless posts put together from short messages; half as many with a telling one among them are made besides.</summary>
    public int MixedPosts { get; init; } = 3000;

    public float MixedWeight { get; init; } = 0.5f;

    /// <summary>Weight of a bare phrase (files phrases-*): what people put inside a message, not a message.</summary>
    public float PhraseWeight { get; init; } = 0.2f;

    /// <summary>Weight of the lines that are never held back: those of the program's own flows and of the pattern tests.</summary>
    public float PracticeWeight { get; init; } = 2;

    public static RiskRecipe Read(string? file, IEnumerable<string> overrides)
    {
        var recipe = file is null ? new RiskRecipe() : Parse(File.ReadAllText(file), file);
        foreach (var pair in overrides)
        {
            var equals = pair.IndexOf('=');
            if (equals < 1)
            {
                throw new FormatException($"--set {pair}: write key=value.");
            }

            var json = JsonSerializer.SerializeToNode(recipe, Format)!.AsObject();
            var key = pair[..equals];
            if (!json.ContainsKey(key))
            {
                throw new FormatException($"--set {pair}: there is no '{key}'; choose among {string.Join(", ", json.Select(p => p.Key))}.");
            }

            var text = pair[(equals + 1)..];
            json[key] = json[key]!.GetValueKind() == JsonValueKind.String ? text : System.Text.Json.Nodes.JsonNode.Parse(text);
            recipe = Parse(json.ToJsonString(), pair);
        }

        return recipe;
    }

    private static RiskRecipe Parse(string json, string from)
    {
        try
        {
            return JsonSerializer.Deserialize<RiskRecipe>(json, Format)!;
        }
        catch (JsonException e)
        {
            throw new FormatException($"{from}: {e.Message}");
        }
    }
}
