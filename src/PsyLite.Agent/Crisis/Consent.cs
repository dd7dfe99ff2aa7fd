using System.Text.RegularExpressions;

namespace PsyLite.Agent.Crisis;

internal enum Answered
{
    Unclear,
    Yes,
    No,
}

/// <summary>Reads a yes or a no, in both scripts and in English. Whatever is neither is unclear, and unclear is never consent.</summary>
internal static partial class Consent
{
    /// <summary>Characters of a yes or a no; whoever writes more says something else as well.</summary>
    private const int LongestAnswer = 30;

    public static Answered Read(string text)
    {
        var said = text.Trim();
        return said.Length > LongestAnswer ? Answered.Unclear : Refuses().IsMatch(said) ? Answered.No : Agrees().IsMatch(said) ? Answered.Yes : Answered.Unclear;
    }

    /// <summary>The person asks by themselves that the contact be told.</summary>
    public static bool AsksToSend(string text) => !Refuses().IsMatch(text) && SendRequest().IsMatch(text);

    [GeneratedRegex("不|别|別|唔|先等|等等|算了|没必要|沒必要|冇必要|免了|拒绝|拒絕|\\b(?:no|nope|nah|not|don'?t|don’t|never|stop|wait)\\b", RegexOptions.IgnoreCase)]
    private static partial Regex Refuses();

    [GeneratedRegex("^(?>嗯+|那|就|麻烦你?|拜托你?|請|请|唔该|唔該|[，,、。 ])*(?:(?>好的|好啊|好呀|好吧|好|可以|行吧|行|要|想写|想寫|想|愿意|願意|同意|发吧|發吧|发|發|传吧|傳吧|傳|写吧|寫吧|写|寫|开始|開始|试试|試試|試下|是的|是|係|得|对|對|yes|yeah|yep|ok|okay|sure|please|go ahead|do it|send it|send|let'?s do it|let'?s try|let'?s)(?>的|吧|呀|啊|啦|了|谢谢你?|謝謝你?|多谢|多謝|thanks|thank you|[。！!,，、.~～ ])*)+$", RegexOptions.IgnoreCase)]
    private static partial Regex Agrees();

    [GeneratedRegex("(?:帮|幫|替|请|請|麻烦|麻煩)(?:你|我)*(?:现在|現在|而家|就)?(?:发|發|告诉|告訴|通知|联系|聯絡|话|話)[^。！？!?]{0,8}(?:他|她|TA|佢|妈|媽|爸|哥|姐|弟|妹|朋友|老公|老婆|家人|屋企人|联系人|聯絡人|对方|對方)|\\b(?:please )?(?:text|message|tell|contact|notify) (?:him|her|them|my (?:mum|mom|dad|sister|brother|friend|wife|husband|partner|contact))\\b", RegexOptions.IgnoreCase)]
    private static partial Regex SendRequest();
}
