using System.Text;
using Microsoft.Extensions.AI;

namespace PsyLite.Evaluation.CEval;

/// <summary>Prompts of the published protocols, character by character: a half-width colon or a missing blank line changes the numbers.</summary>
internal static class CEvalPrompt
{
    private const string StepByStep = "让我们一步一步思考，";

    /// <summary>One text that ends where the answer begins.</summary>
    public static string Text(CEvalVariant variant, CEvalSubject subject, IReadOnlyList<CEvalQuestion> examples, CEvalQuestion question)
    {
        var text = new StringBuilder();
        if (variant.Form == CEvalForm.Text)
        {
            text.Append(Header(subject)).Append("\n\n");
            foreach (var example in examples)
            {
                text.Append(Body(example)).Append("\n答案：").Append(example.Answer).Append("\n\n");
            }

            return text.Append(Body(question)).Append("\n答案：").ToString();
        }

        foreach (var example in examples)
        {
            text.Append(Round(variant, subject, example)).Append(example.Answer).Append('\n');
        }

        return text.Append(Round(variant, subject, question)).ToString();
    }

    /// <summary>Turns, the question last.</summary>
    public static IReadOnlyList<ChatMessage> Turns(CEvalVariant variant, CEvalSubject subject, IReadOnlyList<CEvalQuestion> examples, CEvalQuestion question)
    {
        var turns = new List<ChatMessage>();
        if (variant.Form is CEvalForm.Rounds or CEvalForm.RoundsReasoned)
        {
            foreach (var example in examples)
            {
                turns.Add(new ChatMessage(ChatRole.User, Round(variant, subject, example)));
                turns.Add(new ChatMessage(ChatRole.Assistant, example.Answer));
            }

            return [.. turns, new ChatMessage(ChatRole.User, Round(variant, subject, question))];
        }

        var isReasoned = variant.Form == CEvalForm.ChatReasoned;
        turns.Add(new ChatMessage(ChatRole.System, $"你是一个中文人工智能助手，{Header(subject)}"));
        foreach (var (number, example) in examples.Index())
        {
            var header = number == 0 ? Header(subject) + "\n\n" : "";
            turns.Add(new ChatMessage(ChatRole.User, $"{header}{Body(example)}\n答案："));
            turns.Add(new ChatMessage(ChatRole.Assistant, isReasoned ? $"{StepByStep}\n{example.Explanation}\n所以答案是{example.Answer}。" : example.Answer));
        }

        // Without examples the published evaluator leaves out even the header, and a model would not know what it is asked.
        var first = examples.Count == 0 ? Header(subject) + "\n\n" : "";
        return [.. turns, new ChatMessage(ChatRole.User, $"{first}{Body(question)}\n答案：{(isReasoned && examples.Count == 0 ? StepByStep : "")}")];
    }

    private static string Header(CEvalSubject subject) => $"以下是中国关于{subject.Chinese}考试的单项选择题，请选出其中的正确答案。";

    private static string Body(CEvalQuestion question) =>
        question.Text + string.Concat(question.Options.Select((option, i) => $"\n{CEvalQuestion.Letters[i]}. {option}"));

    /// <summary>OpenCompass repeats the header in every turn and ends in a half-width colon and a space.</summary>
    private static string Round(CEvalVariant variant, CEvalSubject subject, CEvalQuestion question) =>
        $"{Header(subject)}\n{Body(question)}\n{(variant.Form == CEvalForm.RoundsReasoned ? "让我们一步一步思考。" : "")}答案: ";
}
