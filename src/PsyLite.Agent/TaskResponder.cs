using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.AI;

namespace PsyLite.Agent;

/// <summary>
/// Answers the side tasks that front ends send (titles, tags, follow-up questions) with neutral JSON. No model, no crisis text, no
/// contact with a conversation's state: a title must not carry what someone said in distress.
/// </summary>
public static partial class TaskResponder
{
    private const string Tags = """{"tags":["对话"]}""";
    private const string FollowUps = """{"follow_ups":[]}""";
    private const string Queries = """{"queries":[]}""";
    private const string Nothing = """{"text":""}""";

    private static readonly (string Words, string Title)[] Topics =
    [
        ("失眠|睡不着|睡眠", "关于睡眠"), ("工作|上班|加班|老板|同事|辞职", "关于工作"), ("考试|学习|作业|高考|考研|成绩", "关于学习"),
        ("男朋友|女朋友|分手|恋爱|喜欢的人|前任", "关于感情"), ("爸|妈|父母|家里|家人", "关于家人"), ("朋友|室友|同学", "关于朋友"),
        ("开心|高兴|升职|考上", "一件开心的事"),
    ];

    /// <summary>True for a lone user message that is a front end's task prompt. A person's own words after "### Task:" are none.</summary>
    public static bool IsTask(IReadOnlyList<ChatMessage> messages)
    {
        var users = messages.Where(m => m.Role == ChatRole.User).ToList();
        return users.Count == 1 && messages.All(m => m.Role != ChatRole.Assistant)
            && (users[0].Text ?? "").TrimStart().StartsWith("### Task:", StringComparison.Ordinal)
            && TaskShape().IsMatch(users[0].Text);
    }

    /// <summary>The JSON that the front end waits for.</summary>
    /// <param name="messages">The task's prompt.</param>
    /// <param name="name">The front end's name for the task; null leaves it to the prompt to tell.</param>
    public static string Respond(IReadOnlyList<ChatMessage> messages, string? name = null)
    {
        var prompt = messages.LastOrDefault(m => m.Role == ChatRole.User)?.Text ?? "";
        var end = prompt.IndexOf("<chat_history>", StringComparison.Ordinal);
        var instruction = end < 0 ? prompt : prompt[..end];
        var history = prompt[instruction.Length..];
        return name switch
        {
            null => ByPrompt(instruction, history),
            "title_generation" => TitleJson(history.Length > 0 ? history : prompt),
            "tags_generation" => Tags,
            "follow_up_generation" => FollowUps,
            "query_generation" => Queries,
            "emoji_generation" => "💬",
            "image_prompt_generation" => """{"prompt":""}""",
            "function_calling" => """{"tool_calls":[]}""",
            _ => Nothing,
        };
    }

    private static string ByPrompt(string instruction, string history) => instruction switch
    {
        _ when Asks(instruction, "\"title\"", "title") => TitleJson(history),
        _ when Asks(instruction, "\"tags\"", "tags") => Tags,
        _ when Asks(instruction, "follow_ups", "follow-up") => FollowUps,
        _ when Asks(instruction, "queries", "search quer") => Queries,
        _ when Asks(instruction, "emoji", "emoji") => "💬",
        _ => Nothing,
    };

    private static string TitleJson(string history) =>
        JsonSerializer.Serialize(new Dictionary<string, string> { ["title"] = Title(history) }, TaskJson.Default.DictionaryStringString);

    private static bool Asks(string instruction, string key, string word) =>
        instruction.Contains(key, StringComparison.OrdinalIgnoreCase) || instruction[..Math.Min(200, instruction.Length)].Contains(word, StringComparison.OrdinalIgnoreCase);

    private static string Title(string history)
    {
        var topic = Topics.FirstOrDefault(t => Regex.IsMatch(history, t.Words));
        return topic.Title ?? "新的对话";
    }

    [GeneratedRegex("<chat_history>|### Guidelines|### Output|JSON format", RegexOptions.IgnoreCase)]
    private static partial Regex TaskShape();
}

[System.Text.Json.Serialization.JsonSerializable(typeof(Dictionary<string, string>))]
[System.Text.Json.Serialization.JsonSourceGenerationOptions]
internal sealed partial class TaskJson : System.Text.Json.Serialization.JsonSerializerContext;
