namespace PsyLite.Agent.Prompts;

/// <summary>The prompts, kept as text files beside this class and embedded unchanged.</summary>
public static class PromptText
{
    /// <summary>System message of every counselling turn; the built-in model was trained on these very words.</summary>
    public static string System { get; } = Read("system.zh.txt");

    /// <summary>Question of the mood judge; its answer is one of <see cref="JudgeLabels"/>.</summary>
    public static string Judge { get; } = Read("judge.zh.txt");

    /// <summary>Labels of the mood judge: happy, calm, low.</summary>
    public static IReadOnlyList<string> JudgeLabels { get; } = ["愉快", "平稳", "低落"];

    /// <summary>Question of the risk judge, asked in doubt only; its answer is one of <see cref="RiskLabels"/>.</summary>
    public static string RiskJudge { get; } = Read("risk.zh.txt");

    /// <summary>Labels of the risk judge: danger, safe.</summary>
    public static IReadOnlyList<string> RiskLabels { get; } = ["危险", "平安"];

    private static string Read(string name) => EmbeddedText.Read($"Prompts.{name}").Trim();
}
