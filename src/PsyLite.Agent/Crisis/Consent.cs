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
    public static Answered Read(string text)
    {
        var said = text.Trim();
        return Refuses().IsMatch(said) ? Answered.No : Agrees().IsMatch(said) ? Answered.Yes : Answered.Unclear;
    }

    /// <summary>The person asks by themselves that the contact be told.</summary>
    public static bool AsksToSend(string text) => !Refuses().IsMatch(text) && SendRequest().IsMatch(text);

    [GeneratedRegex("不|别|別|唔|先等|等等|算了|没必要|沒必要|冇必要|免了|拒绝|拒絕|\\b(?:no|nope|nah|not|don'?t|don’t|never|stop|wait)\\b", RegexOptions.IgnoreCase)]
    private static partial Regex Refuses();

    [GeneratedRegex("^(?:嗯+|那|就|行吧|好吧|麻烦你?|拜托你?|請|请|係|唔该|唔該|[，,、 ])*(?:好|好的|好啊|好呀|可以|行|要|想|想写|想寫|愿意|願意|同意|发|發|发吧|發吧|发给(?:他|她|TA)|写|寫|写吧|寫吧|开始|開始|试试|試試|試下|係|得|是|是的|对|對|yes|yeah|yep|ok|okay|sure|please(?: do)?|go ahead|do it|send(?: it)?|let'?s(?: do it| try)?)(?:的|吧|呀|啊|啦|了|谢谢你?|謝謝你?|多谢|多謝|please|thanks|thank you|[。！!,，.~～ ])*$", RegexOptions.IgnoreCase)]
    private static partial Regex Agrees();

    [GeneratedRegex("(?:帮|幫|替|请|請|麻烦|麻煩)(?:你|我)*(?:现在|現在|而家|就)?(?:发|發|告诉|告訴|通知|联系|聯絡|话|話)[^。！？!?]{0,8}(?:他|她|TA|佢|妈|媽|爸|哥|姐|弟|妹|朋友|老公|老婆|家人|屋企人|联系人|聯絡人|对方|對方)|\\b(?:please )?(?:text|message|tell|contact|notify) (?:him|her|them|my (?:mum|mom|dad|sister|brother|friend|wife|husband|partner|contact))\\b", RegexOptions.IgnoreCase)]
    private static partial Regex SendRequest();
}
